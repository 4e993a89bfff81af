package deployment

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// A rollback takes back where tasks run and their network, not only their definition: the next deployment begins with what the service says.
func TestRollBackTakesCapacityBack(t *testing.T) {
	network := func(subnet string) *types.NetworkConfiguration {
		return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{subnet}}}
	}
	spot := []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String(ecs.ProviderFargateSpot), Weight: 1}}
	for _, c := range []struct {
		name          string
		before, after ecs.Service
		want          string // launch type, providers, platform, subnet
	}{
		{"to the launch type", ecs.Service{LaunchType: types.LaunchTypeFargate, PlatformVersion: ecs.LatestPlatform, NetworkConfiguration: network("a")},
			ecs.Service{CapacityProviderStrategy: spot, PlatformVersion: ecs.LatestPlatform, NetworkConfiguration: network("b")}, "FARGATE 0 LATEST a"},
		{"to EC2", ecs.Service{LaunchType: types.LaunchTypeEc2, NetworkConfiguration: network("a")},
			ecs.Service{CapacityProviderStrategy: spot, PlatformVersion: ecs.LatestPlatform, NetworkConfiguration: network("a")}, "EC2 0  a"},
		{"to a strategy", ecs.Service{CapacityProviderStrategy: spot, PlatformVersion: "1.4.0", NetworkConfiguration: network("a")},
			ecs.Service{LaunchType: types.LaunchTypeEc2, NetworkConfiguration: network("a")}, " 1 1.4.0 a"},
	} {
		s := c.before
		s.Begin("ecs-svc/1", time.Unix(1, 0))
		s.Primary().RolloutState = types.DeploymentRolloutStateCompleted
		s.LaunchType, s.CapacityProviderStrategy, s.PlatformVersion, s.NetworkConfiguration = c.after.LaunchType, c.after.CapacityProviderStrategy, c.after.PlatformVersion,
			c.after.NetworkConfiguration
		s.Begin("ecs-svc/2", time.Unix(2, 0))
		if id := RollBack(&s, "%s", time.Unix(3, 0)); id != "ecs-svc/1" {
			t.Fatalf("%s: rolled back to %q", c.name, id)
		}
		got := fmt.Sprintln(s.LaunchType, len(s.CapacityProviderStrategy), s.PlatformVersion, s.NetworkConfiguration.AwsvpcConfiguration.Subnets[0])
		if got != c.want+"\n" {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
