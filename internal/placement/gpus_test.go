package placement

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
)

func TestGPUsAndPlatforms(t *testing.T) {
	y := newYard()
	y.add("a", 2048, 4000)
	for n, ids := range [][]string{{"g1", "g2", "g3", "g4", "g5"}, {"g6", "g7", "g8"}} {
		i := y.add("b", 2048, 4000)
		i.Registered.GPUs = ids
		i.Attributes = append(i.Attributes, types.Attribute{Name: aws.String("ecs.os-type"), Value: aws.String("linux")},
			types.Attribute{Name: aws.String("ecs.cpu-architecture"), Value: aws.String([]string{"x86_64", "arm64"}[n])})
	}
	y.used[y.instances[2].ContainerInstanceArn] = ecs.Resources{GPUs: []string{"g7"}}
	two := ecs.Resources{GPUs: make([]string, 2)}
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"GPUs are held once", Request{Count: 5, Reserve: two, Strategy: []types.PlacementStrategy{spreadHost}},
			"i2 i3 i2; refused 2: RESOURCE:GPU 3; closest i2 RESOURCE:GPU short 1"},
		{"a platform", Request{Count: 1, Required: []string{"ecs.cpu-architecture=arm64", "ecs.os-type=linux"}}, "i3"},
		{"one that is nowhere", Request{Count: 1, Required: []string{"ecs.os-type=windows"}}, "refused 1: ATTRIBUTE 3; closest i1 ATTRIBUTE"},
	} {
		if got := Decide(y, c.r).String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	plan := Decide(y, Request{Count: 5, Reserve: two, Service: true})
	if _, reason, ok := ReadServiceEvent(plan.ServiceEvent()); !ok || reason != GPU {
		t.Errorf("%q is read as %v, %v", plan.ServiceEvent(), reason, ok)
	}
}

func TestRequiredAttributes(t *testing.T) {
	for _, c := range []struct {
		name string
		def  types.TaskDefinition
		want []string
	}{
		{"nothing", types.TaskDefinition{}, nil},
		{"derived ones and a role", types.TaskDefinition{RequiresAttributes: []types.Attribute{{Name: aws.String("a")}}, TaskRoleArn: aws.String("r")},
			[]string{"a"}},
		{"platform", types.TaskDefinition{RuntimePlatform: &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64,
			OperatingSystemFamily: types.OSFamilyLinux}}, []string{"ecs.cpu-architecture=arm64", "ecs.os-type=linux"}},
		{"Windows", types.TaskDefinition{RuntimePlatform: &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core}},
			[]string{"ecs.os-type=windows"}},
		{"architecture alone", types.TaskDefinition{RuntimePlatform: &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureX8664}},
			[]string{"ecs.cpu-architecture=x86_64"}},
	} {
		if diff := cmp.Diff(c.want, RequiredAttributes(&ecs.TaskDefinition{Definition: c.def})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
