package ecs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What AWS derives from a definition, by features of definitions whose answers are known. "api N" is the engine's API, "C:" and "E:" are the
// two prefixes of capabilities.
func TestDerivedFromDefinition(t *testing.T) {
	const fargate = `"networkMode":"awsvpc","cpu":"256","memory":"512",`
	logs := func(driver, options string) string {
		return `"logConfiguration":{"logDriver":"` + driver + `","options":{` + options + `}}`
	}
	p := newLaunchPad(t)
	for _, c := range []struct{ name, task, container, attributes, launchTypes string }{
		{"nothing", "", "", "", "EXTERNAL EC2"},
		{"bridge", `"networkMode":"bridge",`, "", "", "EXTERNAL EC2"},
		{"awsvpc, as Fargate has it", fargate, "", "api 18, E:task-eni", "EC2 FARGATE MANAGED_INSTANCES"},
		{"awsvpc, not Fargate's size", `"networkMode":"awsvpc","cpu":"256","memory":"500",`, "", "api 18, E:task-eni", "EC2"},
		{"host", `"networkMode":"host",`, "", "api 18", "EXTERNAL EC2"},
		{"a training task of ECS Anywhere", `"networkMode":"host","ipcMode":"host","memory":"1000","taskRoleArn":"t","executionRoleArn":"x","requiresCompatibilities":["EXTERNAL"],
			"runtimePlatform":{"cpuArchitecture":"X86_64","operatingSystemFamily":"LINUX"},`,
			`"image":"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/t:1","privileged":true,"ulimits":[{"name":"memlock","softLimit":-1,"hardLimit":-1}],
			"resourceRequirements":[{"type":"GPU","value":"8"}],"linuxParameters":{"devices":[{"hostPath":"/dev/infiniband"}],"sharedMemorySize":16384},` +
				logs("awslogs", `"awslogs-group":"g","mode":"non-blocking","awslogs-create-group":"true","max-buffer-size":"25m"`),
			"api 17, api 18, api 19, api 22, api 28, api 29, C:ecr-auth, C:logging-driver.awslogs, C:privileged-container, C:task-iam-role, " +
				"C:task-iam-role-network-host, E:execution-role-awslogs, E:execution-role-ecr-pull, E:pid-ipc-namespace-sharing", "EXTERNAL EC2"},
		{"an image of Berth's registry", "", `"image":"berth.example:3270/123456789012/us-east-1/team/web:1"`, "C:ecr-auth", "EXTERNAL EC2"},
		{"a private registry", `"executionRoleArn":"x",`, `"repositoryCredentials":{"credentialsParameter":"s"}`, "E:private-registry-authentication.secretsmanager", "EXTERNAL EC2"},
		{"platform", `"runtimePlatform":{"operatingSystemFamily":"LINUX"},`, "", "", "EC2"},
		{"processes of the task", `"pidMode":"task",`, "", "E:pid-ipc-namespace-sharing", "EXTERNAL EC2"},
		{"awslogs", "", logs("awslogs", `"awslogs-group":"g"`), "api 19, C:logging-driver.awslogs", "EXTERNAL EC2"},
		{"another driver", "", logs("gelf", `"gelf-address":"udp://x"`), "api 18, C:logging-driver.gelf", "EXTERNAL EC2"},
		{"empty lists count", "", `"ulimits":[],"links":[]`, "api 17, api 18", "EXTERNAL EC2"},
		{"reservation", "", `"memoryReservation":10`, "api 21", "EXTERNAL EC2"},
		{"health check", "", `"healthCheck":{"command":["CMD","true"]}`, "api 24, E:container-health-check", "EXTERNAL EC2"},
		{"a shared volume", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"scope":"shared","autoprovision":true,"driver":"local"}}],`, "",
			"api 25, E:docker-plugin.local", "EXTERNAL EC2"},
		{"a volume of another driver", `"volumes":[{"name":"v","dockerVolumeConfiguration":{"driver":"rexray:ebs"}}],`, "", "api 25, E:docker-plugin.rexray.ebs", "EXTERNAL EC2"},
		{"restart policy", "", `"restartPolicy":{"enabled":true}`, "E:container-restart-policy", "EXTERNAL EC2"},
		{"restart policy, disabled", "", `"restartPolicy":{"enabled":false}`, "", "EXTERNAL EC2"},
		{"port range", "", `"portMappings":[{"containerPortRange":"80-89"}]`, "E:network.container-port-range", "EXTERNAL EC2"},
		{"tmpfs", "", `"linuxParameters":{"tmpfs":[{"containerPath":"/t","size":1}]}`, "api 22", "EXTERNAL EC2"},
		{"a log router", "", `"firelensConfiguration":{"type":"fluentbit","options":{"config-file-type":"file","config-file-value":"/f"}}`,
			"E:firelens.fluentbit, E:firelens.options.config.file", "EXTERNAL EC2"},
	} {
		body := `{"family":"f",` + c.task + `"containerDefinitions":[{"name":"c","memory":64,"image":"i"` + strings.TrimSuffix(","+c.container, ",") + `}]}`
		var out struct {
			TaskDefinition struct {
				Compatibilities    []string
				RequiresAttributes []struct{ Name string }
			}
		}
		if err := json.Unmarshal([]byte(p.must(t, "RegisterTaskDefinition", body)), &out); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, a := range out.TaskDefinition.RequiresAttributes {
			name := strings.Replace(a.Name, "com.amazonaws.ecs.capability.docker-remote-api.1.", "api ", 1)
			names = append(names, strings.Replace(strings.Replace(name, "com.amazonaws.ecs.capability.", "C:", 1), "ecs.capability.", "E:", 1))
		}
		slices.SortFunc(names, func(a, b string) int {
			if x, y := strings.HasPrefix(a, "api"), strings.HasPrefix(b, "api"); x != y {
				return map[bool]int{true: -1, false: 1}[x]
			}
			return strings.Compare(a, b)
		})
		if diff := cmp.Diff(c.attributes, strings.Join(names, ", ")); diff != "" {
			t.Errorf("%s: attributes (-want +got):\n%s", c.name, diff)
		}
		if got := strings.Join(out.TaskDefinition.Compatibilities, " "); got != c.launchTypes {
			t.Errorf("%s: launch types %s, want %s", c.name, got, c.launchTypes)
		}
	}
}

// BenchmarkRegisterTaskDefinition registers a definition of ten containers with every member set, as the server does behind the signature.
func BenchmarkRegisterTaskDefinition(b *testing.B) {
	container := `"image":"app:1","cpu":128,"memory":256,"memoryReservation":64,"command":["run"],"entryPoint":["/app"],"environment":[{"name":"A","value":"1"},{"name":"B","value":"2"}],
		"startTimeout":10,"stopTimeout":20,"hostname":"h","user":"1:2","workingDirectory":"/w","readonlyRootFilesystem":true,"dnsServers":["1.1.1.1"],"dnsSearchDomains":["d"],
		"extraHosts":[{"hostname":"x","ipAddress":"1.2.3.4"}],"dockerSecurityOptions":["no-new-privileges"],"interactive":true,"pseudoTerminal":true,"dockerLabels":{"l":"v"},
		"ulimits":[{"name":"nofile","softLimit":10,"hardLimit":20}],"logConfiguration":{"logDriver":"json-file","options":{"max-size":"10m"}},"healthCheck":{"command":["CMD","true"]},
		"systemControls":[{"namespace":"net.core.somaxconn","value":"512"}],"resourceRequirements":[{"type":"GPU","value":"1"}],"restartPolicy":{"enabled":true},
		"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}],"linuxParameters":{"capabilities":{"add":["NET_ADMIN"]},"devices":[{"hostPath":"/dev/fuse"}],"tmpfs":[{"containerPath":"/t","size":16}],
		"sharedMemorySize":64,"maxSwap":128,"swappiness":10}`
	var list []string
	for _, n := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		links := ""
		if n != "a" {
			links = `"dependsOn":[{"containerName":"a","condition":"HEALTHY"}],"links":["a:first"],"volumesFrom":[{"sourceContainer":"a"}],`
		}
		list = append(list, `{"name":"`+n+`",`+links+`"portMappings":[{"containerPort":80},{"containerPortRange":"90-99"}],`+container+`}`)
	}
	body := `{"family":"f","cpu":"2048","memory":"4096","volumes":[{"name":"v","dockerVolumeConfiguration":{"scope":"shared","autoprovision":true}}],"tags":[{"key":"k","value":"v"}],
		"containerDefinitions":[` + strings.Join(list, ",") + `]}`
	p := newLaunchPad(b)
	for b.Loop() {
		if _, err := p.ask(b, "ADMIN", "RegisterTaskDefinition", body); err != nil {
			b.Fatal(err)
		}
	}
}
