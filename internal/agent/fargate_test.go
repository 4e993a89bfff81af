package agent

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
)

// bounds are what confine sets.
type bounds struct {
	Memory, Swap int64
	Swappiness   *int64
	Runtime      string
	Log          string // its largest file
}

func TestConfine(t *testing.T) {
	const swap = `{"MemorySwap":9000000000,"MemorySwappiness":80}`
	eighty := int64(80)
	task := func(launch string, c acsproto.Container) acsproto.Task {
		c.Name, c.Image = "a", "i"
		return acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", LaunchType: launch, CPU: 0.25, MemoryMiB: 512, IpcMode: "task",
			Containers: []acsproto.Container{c}}
	}
	for _, c := range []struct {
		name      string
		task      acsproto.Task
		container string
		want      bounds
	}{
		{"without memory of its own", task("FARGATE", acsproto.Container{}), "a", bounds{512 * mib, 512 * mib, nil, "runsc", "10m"}},
		{"with memory of its own", task("FARGATE", acsproto.Container{MemoryMiB: 128}), "a", bounds{128 * mib, 128 * mib, nil, "runsc", "10m"}},
		{"that asks for swap and a runtime", task("FARGATE", acsproto.Container{DockerConfig: acsproto.DockerConfig{HostConfig: `{"MemorySwap":9000000000,"MemorySwappiness":80,"Runtime":"runc"}`}}), "a",
			bounds{512 * mib, 512 * mib, nil, "runsc", "10m"}},
		{"the pause container", task("FARGATE", acsproto.Container{}), pauseContainer, bounds{}},
		{"EC2", task("EC2", acsproto.Container{DockerConfig: acsproto.DockerConfig{HostConfig: swap}}), "a", bounds{0, 9000000000, &eighty, "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := accept(c.task, "one")
			if err != nil {
				t.Fatal(err)
			}
			s, err := specOf(r, r.ordered(c.container), place{Runtime: "runsc"})
			if err != nil {
				t.Fatal(err)
			}
			h := s.HostConfig
			if diff := cmp.Diff(c.want, bounds{h.Memory, h.MemorySwap, h.MemorySwappiness, h.Runtime, h.LogConfig.Config["max-size"]}); diff != "" {
				t.Error(diff)
			}
			want := Group{Instance: "one", Task: "abc", CPUShares: 256, CPUUnits: 256, MemoryBytes: 512 * mib, NoSwap: c.task.LaunchType == "FARGATE"}
			if diff := cmp.Diff(want, groupOf(r)); diff != "" {
				t.Error(diff)
			}
			if c.want.Runtime != "" {
				var plain container.HostConfig
				if err := confine(r, r.ordered(c.container), "", &plain); err != nil || plain.Runtime != "" {
					t.Errorf("runtime %q where the instance has none, %v", plain.Runtime, err)
				}
			}
		})
	}
}

// TestConfineProcesses: containers that are to share their processes do, or do not start.
func TestConfineProcesses(t *testing.T) {
	r, err := accept(acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/abc", LaunchType: "FARGATE", CPU: 0.25, MemoryMiB: 512, PidMode: "task",
		Containers: []acsproto.Container{{Name: "a", Image: "i"}}}, "one")
	if err != nil {
		t.Fatal(err)
	}
	for runtime, want := range map[string]string{"": "", "runc": "", "runsc": `pidMode "task" is not served with the runtime "runsc", whose containers do not see each other's processes`} {
		for _, name := range []string{pauseContainer, "a"} {
			got := ""
			if _, err := specOf(r, r.ordered(name), place{Runtime: runtime}); err != nil {
				got = err.Error()
			}
			if name == pauseContainer && got != "" || name == "a" && got != want {
				t.Errorf("%s with %q: %q", name, runtime, got)
			}
		}
	}
}

func TestBoundLog(t *testing.T) {
	for _, c := range []struct {
		name string
		is   container.LogConfig
		want container.LogConfig
	}{
		{"none", container.LogConfig{}, container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "2"}}},
		{"without a bound", container.LogConfig{Type: "json-file", Config: map[string]string{"max-file": "5", "tag": "x"}},
			container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10m", "max-file": "5", "tag": "x"}}},
		{"with one", container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m"}}, container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m"}}},
		{"elsewhere", container.LogConfig{Type: "fluentd"}, container.LogConfig{Type: "fluentd"}},
	} {
		boundLog(&c.is)
		if diff := cmp.Diff(c.want, c.is); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestCheckRuntime(t *testing.T) {
	m := Machine{Runtimes: []string{"kata", "runc"}}
	for runtime, want := range map[string]string{"": "", "kata": "",
		"runsc": `the engine has no runtime "runsc", only kata, runc: add it to "runtimes" in the engine's configuration (/etc/docker/daemon.json) and reload the engine, or start the agent with another --runtime`} {
		got := ""
		if err := (&instance{InstanceConfig: InstanceConfig{Runtime: runtime}}).checkRuntime(m); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s", runtime, strings.TrimSpace(got))
		}
	}
}
