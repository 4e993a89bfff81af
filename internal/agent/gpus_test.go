package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
)

func TestGPURuntime(t *testing.T) {
	order := acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", Containers: []acsproto.Container{{Name: "a", Image: "i"}, {Name: "b", Image: "i"}},
		Associations: []acsproto.Association{{Name: "GPU-1", Type: "gpu", Containers: []string{"a"}}, {Name: "GPU-2", Type: "gpu", Containers: []string{"a"}}}}
	r, err := accept(order, "one")
	if err != nil {
		t.Fatal(err)
	}
	s, err := specOf(r, r.ordered("a"), place{NVIDIA: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"NVIDIA_VISIBLE_DEVICES=GPU-1,GPU-2"}, s.Config.Env); diff != "" || s.HostConfig.Runtime != "nvidia" || len(s.HostConfig.DeviceRequests) > 0 {
		t.Errorf("runtime %q, environment (-want +got):\n%s", s.HostConfig.Runtime, diff)
	}
	s, err = specOf(r, r.ordered("b"), place{NVIDIA: true})
	if err != nil || s.HostConfig.Runtime != "" || len(s.Config.Env) > 0 {
		t.Errorf("a container without GPUs: runtime %q, environment %v, %v", s.HostConfig.Runtime, s.Config.Env, err)
	}
}

func TestRegisteredGPUs(t *testing.T) {
	i := &instance{InstanceConfig: InstanceConfig{GPUs: []string{"GPU-1", "GPU-2"}}, agent: &Agent{}}
	in, _ := i.registration(Machine{CPUs: 1})
	var got []string
	for _, d := range in.PlatformDevices {
		got = append(got, string(d.Type)+" "+*d.Id)
	}
	if diff := cmp.Diff([]string{"GPU GPU-1", "GPU GPU-2"}, got); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
}
