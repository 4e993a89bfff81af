package ecs

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
)

// gpuTasks is as much of an answer with tasks as the test of GPUs looks at.
type gpuTasks struct {
	Tasks []struct {
		TaskArn    string
		Containers []struct{ GpuIds []string }
	}
	Failures []struct{ Reason string }
}

// A task gets GPUs of its own, RunTask and DescribeTasks tell which, and an instance without enough of them takes no more.
func TestGPUsOfTasks(t *testing.T) {
	i := padInstance("g", "us-east-1a", ecs.Active)
	i.Registered.GPUs = []string{"GPU-1", "GPU-2", "GPU-3"}
	p := newLaunchPad(t, i, padDefinition("train", types.TaskDefinition{},
		types.ContainerDefinition{Name: aws.String("a"), Memory: aws.Int32(10), ResourceRequirements: []types.ResourceRequirement{
			{Type: types.ResourceTypeGpu, Value: aws.String("1")}}},
		types.ContainerDefinition{Name: aws.String("b"), Memory: aws.Int32(10)}))
	ask := func(operation, body string) (out gpuTasks) {
		t.Helper()
		if err := json.Unmarshal([]byte(p.must(t, operation, body)), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	ids := func(out gpuTasks) (list [][]string) {
		for _, x := range out.Tasks {
			for _, c := range x.Containers {
				list = append(list, c.GpuIds)
			}
		}
		return list
	}
	first := ask("RunTask", `{"cluster":"demo","taskDefinition":"train"}`)
	if diff := cmp.Diff([][]string{{"GPU-1"}, nil}, ids(first)); diff != "" {
		t.Errorf("the first task has (-want +got):\n%s", diff)
	}
	more := ask("RunTask", `{"cluster":"demo","taskDefinition":"train","count":2,"overrides":{"containerOverrides":[{"name":"a","resourceRequirements":[{"type":"GPU","value":"2"}]}]}}`)
	if diff := cmp.Diff([][]string{{"GPU-2", "GPU-3"}, nil}, ids(more)); diff != "" || len(more.Failures) != 3 {
		t.Errorf("the second has (-want +got):\n%s\nfailures %v", diff, more.Failures)
	}
	for _, f := range more.Failures {
		if f.Reason != "RESOURCE:GPU" {
			t.Errorf("failure %s", f.Reason)
		}
	}
	again := ask("DescribeTasks", fmt.Sprintf(`{"cluster":"demo","tasks":[%q]}`, more.Tasks[0].TaskArn))
	if diff := cmp.Diff(ids(more), ids(again)); diff != "" {
		t.Errorf("described, it has (-want +got):\n%s", diff)
	}
	var described struct {
		ContainerInstances []struct {
			RegisteredResources, RemainingResources []struct {
				Name, Type     string
				StringSetValue []string
			}
		}
	}
	if err := json.Unmarshal([]byte(p.must(t, "DescribeContainerInstances", `{"cluster":"demo","containerInstances":["g"]}`)), &described); err != nil {
		t.Fatal(err)
	}
	x := described.ContainerInstances[0]
	registered, left := x.RegisteredResources[len(x.RegisteredResources)-1], x.RemainingResources[len(x.RemainingResources)-1]
	if registered.Name != "GPU" || left.Name != "GPU" || len(registered.StringSetValue) != 3 || left.StringSetValue == nil || len(left.StringSetValue) != 0 {
		t.Errorf("registered %+v, left %+v", registered, left)
	}
}
