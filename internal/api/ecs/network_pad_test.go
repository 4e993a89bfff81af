package ecs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/golden"
	"berth/internal/state"
	"berth/internal/vpc"
)

// network is a VPC with subnets in two zones and groups, and another VPC; container instances e1 and e2 (zones a and b) with room for two network interfaces
// each; a pool with member m1 in zone a, which grows in zone b too; and definitions of tasks in awsvpc mode: "far", and "arm", "win" and "small" for other
// platforms and sizes.
func network() []ecs.Record {
	out := []ecs.Record{
		netVPC("vpc-1", "10.0.0.0/16"), netVPC("vpc-2", "10.0.0.0/16"),
		netSubnet("subnet-a", "vpc-1", "10.0.1.0/24", "us-east-1a"), netSubnet("subnet-b", "vpc-1", "10.0.2.0/24", "us-east-1b"),
		netSubnet("subnet-full", "vpc-1", "10.0.3.0/28", "us-east-1a"), netSubnet("subnet-x", "vpc-2", "10.0.1.0/24", "us-east-1a"),
		netGroup("sg-default", "vpc-1", "default"), netGroup("sg-web", "vpc-1", "web"), netGroup("sg-x", "vpc-2", "default"),
		netInstance(padCluster.Instance("e1"), "us-east-1a"), netInstance(padCluster.Instance("e2"), "us-east-1b"), netInstance(arn.Pool.Instance("m1"), "us-east-1a"),
		padCredential("e1"), padCredential("e2"), &ecs.Cluster{ClusterArn: arn.Pool, Status: ecs.Active},
		&ecs.Credential{AccessKeyID: "AKIAm1", Account: padScope.Account, Principal: access.ContainerInstance, Cluster: arn.Pool, Instance: arn.Pool.Instance("m1")},
		&ecs.Pool{Grows: true, Zones: []ecs.PoolZone{{Zone: "us-east-1a", Architecture: "x86_64"}, {Zone: "us-east-1b", Architecture: "x86_64"}}},
		netDefinition("far", types.TaskDefinition{}), netDefinition("far2", types.TaskDefinition{}),
		netDefinition("arm", types.TaskDefinition{RuntimePlatform: &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64}}),
		netDefinition("win", types.TaskDefinition{RuntimePlatform: &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core}}),
		netDefinition("large", types.TaskDefinition{EphemeralStorage: &types.EphemeralStorage{SizeInGiB: 50}}),
	}
	scope := arn.Scope{Partition: padScope.Partition, Region: padScope.Region, Account: padScope.Account}
	for n := range 11 { // all addresses of subnet-full
		out = append(out, &vpc.NetworkInterface{
			Arn: vpc.ARN(scope, vpc.KindNetworkInterface, fmt.Sprint("eni-full", n)), VpcID: "vpc-1", SubnetID: "subnet-full", Address: fmt.Sprint("10.0.3.", 4+n),
		})
	}
	return out
}

func netVPC(id, cidr string) *vpc.VPC {
	return &vpc.VPC{Arn: vpc.ARN(padScope, vpc.KindVPC, id), CidrBlock: cidr, Associations: []vpc.CidrAssociation{{CidrBlock: cidr}}, DNSSupport: true}
}

func netSubnet(id, of, cidr, zone string) *vpc.Subnet {
	return &vpc.Subnet{Arn: vpc.ARN(padScope, vpc.KindSubnet, id), VpcID: of, CidrBlock: cidr, AvailabilityZone: zone}
}

func netGroup(id, of, name string) *vpc.SecurityGroup {
	return &vpc.SecurityGroup{Arn: vpc.ARN(padScope, vpc.KindSecurityGroup, id), VpcID: of, GroupName: name}
}

func netInstance(a arn.Instance, zone string) *ecs.Instance {
	i := padInstance(a.ID(), zone, ecs.Active)
	i.ContainerInstanceArn, i.Registered = a, ecs.Resources{CPUUnits: 4096, MemoryMiB: 8192, ENIs: 2}
	i.Attributes = append(i.Attributes, types.Attribute{Name: aws.String(ecs.AttributeOSType), Value: aws.String("linux")})
	return i
}

// netDefinition is a definition that Fargate takes, with one container.
func netDefinition(family string, d types.TaskDefinition) *ecs.TaskDefinition {
	d.NetworkMode, d.Cpu, d.Memory = types.NetworkModeAwsvpc, aws.String("256"), aws.String("512")
	out := padDefinition(family, d, types.ContainerDefinition{
		Name: aws.String("web"), Image: aws.String("web:1"), Essential: aws.Bool(true),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(80), Protocol: types.TransportProtocolTcp}},
	})
	out.Definition.Compatibilities = []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate}
	return out
}

// in is a network configuration in subnets, with the VPC's default group.
func in(subnets ...string) string {
	return fmt.Sprintf(`"networkConfiguration":{"awsvpcConfiguration":{"subnets":["%s"]}}`, strings.Join(subnets, `","`))
}

var (
	netENI     = regexp.MustCompile(`\beni-0[0-9a-f]{16}\b`)
	netMAC     = regexp.MustCompile(`\b02(:[0-9a-f]{2}){5}\b`)
	netAddress = regexp.MustCompile(`\b10([.-])0[.-]([0-9])[.-][0-9]+\b`)
)

// hideDrawn takes what is drawn by lot out of an answer: ids, MAC addresses, and addresses within their subnets.
func hideDrawn(answer string) string {
	answer = netMAC.ReplaceAllString(netENI.ReplaceAllString(answer, "ENI"), "MAC")
	return netAddress.ReplaceAllString(answer, "10${1}0${1}${2}${1}N")
}

// place puts a task that waits on the pool's member, as the controller does.
func (p *launchPad) place(t *testing.T, id string) {
	t.Helper()
	err := p.store.Update(t.Context(), func(tx *state.Tx) error {
		n := tx.Tasks.Get(padCluster.Task(id)).Clone()
		if !n.Place(tx.Instances.Get(arn.Pool.Instance("m1"))) {
			t.Errorf("%s does not wait", id)
		}
		tx.Put(n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Stories of tasks with network interfaces, on EC2 and on Fargate, a second a line. "wait 5s" lets more time pass, "full" fills the pool's member, and "place
// ID1" puts a task that waits on it.
func TestNetworkStories(t *testing.T) {
	golden.Run(t, "testdata/awsvpc/*.txtar", func(t *testing.T, in map[string]string) (out string) {
		synctest.Test(t, func(t *testing.T) {
			s := &shopper{launchPad: newLaunchPad(t, slices.Concat(shop(), network())...)}
			for line := range strings.Lines(in["requests"]) {
				line = strings.TrimSpace(line)
				switch word, rest, _ := strings.Cut(line, " "); word {
				case "place":
					time.Sleep(time.Second)
					var n int
					if _, err := fmt.Sscanf(rest, "ID%d", &n); err != nil {
						t.Fatal(err)
					}
					s.launchPad.place(t, s.ids[n-1])
				case "full":
					s.fill(t)
				default:
					out += hideDrawn(s.hear(t, line))
				}
			}
		})
		return out
	})
}

// fill leaves the pool's member no room.
func (p *launchPad) fill(t *testing.T) {
	t.Helper()
	err := p.store.Update(t.Context(), func(tx *state.Tx) error {
		i := *tx.Instances.Get(arn.Pool.Instance("m1"))
		i.Registered.ENIs = 0
		tx.Put(&i)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
