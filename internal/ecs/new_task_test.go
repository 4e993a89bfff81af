package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func definition(d types.TaskDefinition) *TaskDefinition { return &TaskDefinition{Definition: d} }

func TestReservation(t *testing.T) {
	two := []types.ContainerDefinition{
		{Name: aws.String("a"), Cpu: 100, Memory: aws.Int32(300), MemoryReservation: aws.Int32(200), PortMappings: []types.PortMapping{
			{ContainerPort: aws.Int32(80), HostPort: aws.Int32(8080)}, {ContainerPort: aws.Int32(53), HostPort: aws.Int32(53), Protocol: types.TransportProtocolUdp}}},
		{Name: aws.String("b"), Cpu: 50, Memory: aws.Int32(100), PortMappings: []types.PortMapping{
			{ContainerPort: aws.Int32(90)}, {ContainerPort: aws.Int32(70), HostPort: aws.Int32(70)}}},
	}
	for _, c := range []struct {
		name string
		def  types.TaskDefinition
		over *types.TaskOverride
		want Resources
	}{
		{"sums", types.TaskDefinition{ContainerDefinitions: two}, nil, Resources{150, 300, []int32{70, 8080}, []int32{53}, 0, nil}},
		{"task size", types.TaskDefinition{ContainerDefinitions: two, Cpu: aws.String(".5 vCPU"), Memory: aws.String("1GB")}, nil, Resources{512, 1024, []int32{70, 8080}, []int32{53}, 0, nil}},
		{"host mode", types.TaskDefinition{ContainerDefinitions: two, NetworkMode: types.NetworkModeHost}, nil, Resources{150, 300, []int32{70, 90, 8080}, []int32{53}, 0, nil}},
		{"awsvpc", types.TaskDefinition{ContainerDefinitions: two, NetworkMode: types.NetworkModeAwsvpc}, nil, Resources{150, 300, nil, nil, 1, nil}},
		{"overrides", types.TaskDefinition{ContainerDefinitions: two}, &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{
			{Name: aws.String("b"), Cpu: aws.Int32(60), Memory: aws.Int32(500)}}}, Resources{160, 700, []int32{70, 8080}, []int32{53}, 0, nil}},
		{"task override", types.TaskDefinition{ContainerDefinitions: two, Cpu: aws.String("256")}, &types.TaskOverride{Cpu: aws.String("1024"), Memory: aws.String("2048")},
			Resources{1024, 2048, []int32{70, 8080}, []int32{53}, 0, nil}},
	} {
		if diff := cmp.Diff(c.want, Reservation(definition(c.def), c.over)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

func TestAmounts(t *testing.T) {
	for s, want := range map[string]int{"256": 256, "1 vCPU": 1024, ".25 vcpu": 256, "0.5vCPU": 512, "": 0, "x": 0, "-1": 0, "1e9 vCPU": 0} {
		if got := CPUUnits(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestTaskOnlyMovesForward(t *testing.T) {
	for _, from := range []TaskStatus{Provisioning, Pending, Activating, Running, Deactivating, Stopping, Deprovisioning, Stopped} {
		for _, to := range []TaskStatus{Provisioning, Pending, Activating, Running, Deactivating, Stopping, Deprovisioning, Stopped} {
			x := &Task{LastStatus: from}
			if moved := x.Advance(to); moved != to.After(from) || x.LastStatus.After(to) && moved {
				t.Errorf("%s to %s: moved %v, now %s", from, to, moved, x.LastStatus)
			}
		}
	}
}

func TestResourcesAddAndSub(t *testing.T) {
	a, b := Resources{10, 20, []int32{80, 90}, nil, 0, nil}, Resources{1, 2, []int32{85}, []int32{53}, 0, nil}
	if diff := cmp.Diff(a, a.Add(b).Sub(b)); diff != "" {
		t.Error(diff)
	}
	if !Collide([]int32{1, 5, 9}, []int32{2, 5}) || Collide([]int32{1, 9}, []int32{2, 5}) || Collide(nil, []int32{1}) {
		t.Error("Collide")
	}
}
