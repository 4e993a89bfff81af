package ecs

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func TestGPUs(t *testing.T) {
	gpus := func(n string) []types.ResourceRequirement {
		return []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: aws.String(n)}}
	}
	d := &TaskDefinition{Definition: types.TaskDefinition{TaskDefinitionArn: aws.String("arn:aws:ecs:r:1:task-definition/f:1"),
		ContainerDefinitions: []types.ContainerDefinition{
			{Name: aws.String("a"), ResourceRequirements: gpus("2")}, {Name: aws.String("b")}, {Name: aws.String("c"), ResourceRequirements: gpus("1")},
		}}}
	i := &Instance{ContainerInstanceArn: "arn:aws:ecs:r:1:container-instance/c/i", Registered: Resources{GPUs: []string{"g1", "g2", "g3", "g4", "g5"}}}
	one := NewTask(TaskSpec{Task: "arn:aws:ecs:r:1:task/c/t", Definition: d, Instance: i, Held: Resources{GPUs: []string{"g2"}}, Now: time.Now()})
	if diff := cmp.Diff([]string{"g1", "g3", "g4"}, one.Reserved.GPUs); diff != "" {
		t.Errorf("the task holds (-want +got):\n%s", diff)
	}
	for container, want := range map[string][]string{"a": {"g1", "g3"}, "b": {}, "c": {"g4"}, "x": nil} {
		if diff := cmp.Diff(want, one.ContainerGPUs(d, container)); diff != "" {
			t.Errorf("container %s has (-want +got):\n%s", container, diff)
		}
	}
	more := &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("c"), ResourceRequirements: gpus("2")},
		{Name: aws.String("b"), Command: []string{"x"}}}}
	if n := GPUs(d, nil); n != 3 {
		t.Errorf("the definition needs %d GPUs", n)
	}
	if n := GPUs(d, more); n != 4 {
		t.Errorf("with the override it needs %d", n)
	}
	two := NewTask(TaskSpec{Task: "arn:aws:ecs:r:1:task/c/u", Definition: d, Instance: i, Overrides: more, Held: Resources{GPUs: []string{"g2"}}, Now: time.Now()})
	if diff := cmp.Diff([]string{"g4", "g5"}, two.ContainerGPUs(d, "c")); diff != "" {
		t.Errorf("container c has (-want +got):\n%s", diff)
	}
}

func TestGPUsAreResources(t *testing.T) {
	all := Resources{CPUUnits: 2, GPUs: []string{"a", "b", "c"}}
	held := Resources{CPUUnits: 1, GPUs: []string{"b"}}.Add(Resources{GPUs: []string{"a"}})
	if diff := cmp.Diff(Resources{CPUUnits: 1, GPUs: []string{"a", "b"}}, held); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Resources{CPUUnits: 1, GPUs: []string{"c"}}, all.Less(held)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Resources{CPUUnits: 1, GPUs: []string{"b"}}, held.Sub(Resources{GPUs: []string{"a"}})); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
	if left := all.Less(all); left.GPUs == nil || len(left.GPUs) != 0 {
		t.Errorf("of all that are taken %v are left: an instance that has GPUs shows that none is", left.GPUs)
	}
}
