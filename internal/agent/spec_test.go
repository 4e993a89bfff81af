package agent

import (
	"encoding/json"
	"strings"
	"testing"

	"berth/internal/acsproto"
	"berth/internal/golden"
)

// TestSpec reads a task as it comes in a payload, and wants the engine's configuration of each container, or the refusal.
func TestSpec(t *testing.T) {
	golden.Run(t, "testdata/spec/*.txtar", func(t *testing.T, in map[string]string) string {
		var task acsproto.Task
		if err := json.Unmarshal([]byte(in["task"]), &task); err != nil {
			t.Fatal(err)
		}
		r, err := accept(task, "one")
		if err != nil {
			return "refused: " + err.Error()
		}
		at := place{Installation: "inst", InstanceARN: "arn:ci", HostAddress: strings.TrimSpace(in["host address"]), CgroupParent: "/ecs/inst-one/t",
			Names: NameFiles{Hosts: strings.TrimSpace(in["hosts file"]), Resolver: strings.TrimSpace(in["resolver file"]), IPv6: in["ipv6"] != ""}}
		var out strings.Builder
		for _, c := range r.Task.Containers {
			s, err := specOf(r, c, at)
			if err != nil {
				t.Fatal(err)
			}
			out.WriteString(s.Name + "\nconfig " + compact(t, s.Config) + "\nhost " + compact(t, s.HostConfig) + "\n")
		}
		return out.String()
	})
}

// compact is v as JSON without what is empty.
func compact(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case string:
			if v == "" {
				delete(m, k)
			}
		case bool:
			if !v {
				delete(m, k)
			}
		case float64:
			if v == 0 {
				delete(m, k)
			}
		case []any:
			if len(v) == 0 {
				delete(m, k)
			}
		}
	}
	for _, noise := range []string{"ConsoleSize", "RestartPolicy", "LogConfig"} {
		if noise != "LogConfig" || !strings.Contains(string(text), `"LogConfig":{"Type":"json-file"`) {
			delete(m, noise)
		}
	}
	text, err = json.MarshalIndent(m, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRefusedOrders(t *testing.T) {
	arn := "arn:aws:ecs:us-east-1:123456789012:task/demo/abc"
	one := []acsproto.Container{{Name: "a", Image: "i"}}
	with := func(f func(c *acsproto.Container)) acsproto.Task {
		c := acsproto.Container{Name: "a", Image: "i"}
		f(&c)
		return acsproto.Task{ARN: arn, Containers: []acsproto.Container{c}}
	}
	for _, c := range []struct {
		name string
		task acsproto.Task
		want string
	}{
		{"no ARN", acsproto.Task{Containers: one}, `"" is not the ARN of a task`},
		{"no containers", acsproto.Task{ARN: arn}, "the task has no containers"},
		{"awsvpc", acsproto.Task{ARN: arn, NetworkMode: "awsvpc", Containers: one}, `network mode awsvpc with 0 network interfaces`},
		{"pid mode", acsproto.Task{ARN: arn, PidMode: "none", Containers: one}, `pidMode "none" is not served`},
		{"ipc mode", acsproto.Task{ARN: arn, IpcMode: "private", Containers: one}, `ipcMode "private" is not served`},
		{"a hidden name", acsproto.Task{ARN: arn, Containers: []acsproto.Container{{Name: "~internal~ecs~pause", Image: "i"}}}, "has a name of the agent's own"},
		{"volume type", acsproto.Task{ARN: arn, Volumes: []acsproto.Volume{{Name: "v", Type: "efs"}}, Containers: one}, `volume v: type "efs" is not served`},
		{"volume without its configuration", acsproto.Task{ARN: arn, Volumes: []acsproto.Volume{{Name: "v", Type: "docker"}}, Containers: one},
			`volume v: type "docker" and its configuration do not belong together`},
		{"scope", acsproto.Task{ARN: arn, Volumes: []acsproto.Volume{{Name: "v", Type: "docker", Docker: &acsproto.DockerVolume{Scope: "x"}}}, Containers: one},
			`volume v: unknown scope "x"`},
		{"device", acsproto.Task{ARN: arn, Associations: []acsproto.Association{{Name: "d", Type: "elastic-inference"}}, Containers: one},
			`association "d" of type "elastic-inference" is not served`},
		{"GPU for nobody", acsproto.Task{ARN: arn, Associations: []acsproto.Association{{Name: "g", Type: "gpu", Containers: []string{"b"}}}, Containers: one},
			`GPU g is for container "b", which the task does not have`},
		{"port range", with(func(c *acsproto.Container) {
			c.PortMappings = []acsproto.PortMapping{{ContainerPortRange: "9-8", Protocol: "tcp"}}
		}), `port range "9-8" is not valid`},
		{"port and range", with(func(c *acsproto.Container) {
			c.PortMappings = []acsproto.PortMapping{{ContainerPort: 1, ContainerPortRange: "8-9", Protocol: "tcp"}}
		}), `port mapping 0:18-9/tcp is not valid`},
		{"no name", acsproto.Task{ARN: arn, Containers: []acsproto.Container{{Image: "i"}}}, "has no name or no image"},
		{"twice", acsproto.Task{ARN: arn, Containers: append(one, one...)}, "container a is there twice"},
		{"unknown volume", with(func(c *acsproto.Container) { c.MountPoints = []acsproto.MountPoint{{SourceVolume: "v"}} }), `mounts volume "v", which`},
		{"protocol", with(func(c *acsproto.Container) {
			c.PortMappings = []acsproto.PortMapping{{ContainerPort: 1, Protocol: "TCP"}}
		}), "port mapping 0:1/TCP"},
		{"override", with(func(c *acsproto.Container) { c.Overrides = `{"environment":{}}` }), `read overrides: json: unknown field "environment"`},
		{"config", with(func(c *acsproto.Container) { c.DockerConfig.Config = `{` }), "read dockerConfig.config: unexpected EOF"},
		{"more config", with(func(c *acsproto.Container) { c.DockerConfig.Config = `{} {}` }), "read dockerConfig.config: text after the JSON value"},
		{"host config", with(func(c *acsproto.Container) { c.DockerConfig.HostConfig = `{"Memory":"x"}` }), "read dockerConfig.hostConfig: "},
		{"health check", with(func(c *acsproto.Container) { c.HealthCheckType = "docker" }), `health check type "docker" without a health check`},
		{"gate", with(func(c *acsproto.Container) {
			c.DependsOn = []acsproto.DependsOn{{ContainerName: "b", Condition: "START"}}
		}), `depends on "b", which`},
		{"condition", with(func(c *acsproto.Container) { c.DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "UP"}} }), `unknown dependency condition "UP"`},
		{"itself", with(func(c *acsproto.Container) { c.Links = []string{"a:b"} }), "the containers a wait for each other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := accept(c.task, "one")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func FuzzAccept(f *testing.F) {
	f.Add(`{"arn":"arn:aws:ecs:r:1:task/c/t","containers":[{"name":"a","image":"i","dockerConfig":{"hostConfig":"{\"Binds\":[]}"}}]}`)
	f.Add(`{"arn":"x","containers":[{"name":"a","image":"i","dependsOn":[{"containerName":"a"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var task acsproto.Task
		if json.Unmarshal([]byte(text), &task) != nil {
			return
		}
		r, err := accept(task, "one")
		if err != nil {
			return
		}
		value, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeRecord(value)
		if err != nil || len(back.Containers) != len(task.Containers) {
			t.Fatalf("the record does not come back: %+v, %v", back, err)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"Containers":[{"Name":"a","Phase":3}]}`))
	f.Add([]byte(`{"Containers":[{"Name":"a","Phase":-3}]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := decodeRecord(value)
		if err != nil {
			return
		}
		Settle(r, noon)
		for _, c := range r.Containers {
			_ = c.Phase.String() // within bounds
		}
		reportOf(r, "demo")
	})
}

func FuzzAdopt(f *testing.F) {
	f.Add(`{"arn":"t","containers":[{"name":"a"}]}`, "t")
	f.Fuzz(func(t *testing.T, label, arn string) {
		r, err := adopt(map[string]string{labelTask: label, labelTaskARN: arn})
		if err == nil && (r.Task.ARN != arn || len(r.Containers) == 0) {
			t.Errorf("adopted %+v", r)
		}
	})
}
