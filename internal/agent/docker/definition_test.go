package docker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acsproto"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
)

const (
	pauseImage  = "berth-test/pause:1"
	routerImage = "berth-test/router:1"
)

// newEquippedHost is a host whose agent has everything that one has on a real machine.
func newEquippedHost(t *testing.T) *host {
	h := &host{t: t, engine: open(t)}
	h.prepare()
	h.config.Ports = machine.HostPorts{}
	dir, err := os.MkdirTemp("", "routers") // short: it has a socket in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	h.config.Routers = machine.Routers{Dir: dir}
	h.config.Pause = bringPause(h.engine)
	h.start()
	return h
}

// bringPause makes the image of pause containers.
func bringPause(e *docker.Engine) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return pauseImage, e.ImportImage(ctx, pauseImage, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep"}, Entrypoint: polite})
	}
}

// TestDefinitionFields runs what a task definition asks for and only a real engine can show.
func TestDefinitionFields(t *testing.T) {
	name, e := fmt.Sprintf("shared-%d", os.Getpid()), open(t)
	t.Cleanup(func() { // after the host has removed its containers
		own, err := exec.Command("docker", "volume", "ls", "-q", "-f", "label=berth.installation="+installation()).Output()
		if err != nil {
			t.Error(err)
		}
		for _, v := range append(strings.Fields(string(own)), name) {
			if err := e.RemoveVolume(context.Background(), v); err != nil {
				t.Error(err)
			}
		}
	})
	h := newEquippedHost(t)

	t.Run("a task's own volume of the engine", func(t *testing.T) {
		one := h.task(51, c("a", "/bin/sh", "-c", "while read d p t r; do test $p = /data && test $t = tmpfs && echo hello > /data/x; done < /proc/mounts; sleep 2"),
			c("b", "/bin/sh", "-c", `sleep 1; test "$(cat /data/x)" = hello && exit 5`))
		one.Volumes = []acsproto.Volume{{Name: "data", Type: "docker", Docker: &acsproto.DockerVolume{Scope: "task", Driver: "local",
			DriverOpts: map[string]string{"type": "tmpfs", "device": "tmpfs"}}}}
		for i := range one.Containers {
			one.Containers[i].MountPoints = []acsproto.MountPoint{{SourceVolume: "data", ContainerPath: "/data"}}
		}
		one.Containers[1].DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "START"}}
		h.control.Run(one)
		h.await(one.ARN, func(got string) bool {
			return strings.HasPrefix(got, "STOPPED") && strings.HasSuffix(got, "b:STOPPED(5)")
		})
	})
	t.Run("a shared volume of the engine", func(t *testing.T) {
		shared := func(n int, provision bool, command string) acsproto.Task {
			one := h.task(n, c("a", "/bin/sh", "-c", command))
			one.Volumes = []acsproto.Volume{{Name: name, Type: "docker", Docker: &acsproto.DockerVolume{Scope: "shared", Autoprovision: provision}}}
			one.Containers[0].MountPoints = []acsproto.MountPoint{{SourceVolume: name, ContainerPath: "/data"}}
			h.control.Run(one)
			return one
		}
		h.await(shared(52, false, "true").ARN, func(got string) bool { return strings.HasPrefix(got, "STOPPED a:STOPPED") }) // it is not there
		h.expect(shared(53, true, "echo hello > /data/x").ARN, "STOPPED a:STOPPED(0)")
		h.expect(shared(54, false, `test "$(cat /data/x)" = hello && exit 6`).ARN, "STOPPED a:STOPPED(6)")
	})
	t.Run("restarts", func(t *testing.T) {
		one := h.task(55, c("a", "/bin/sh", "-c", "sleep 1.2; test -e /tmp/3 && exit 7; test -e /tmp/2 && > /tmp/3; test -e /tmp/1 && > /tmp/2; > /tmp/1; exit 3"))
		one.Containers[0].RestartPolicy = &acsproto.RestartPolicy{Enabled: true, RestartAttemptPeriod: 1, IgnoredExitCodes: []int32{7}}
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(7)")
		if got := h.control.Statuses(one.ARN); len(got) != 2 || got[0] != "RUNNING" {
			t.Errorf("statuses %v: restarts are not told", got)
		}
	})
	t.Run("port range", func(t *testing.T) {
		one := h.task(56, c("a", "/bin/sh", "-c", "nc -l -p 8001 -e /bin/true; exit 4"))
		one.NetworkMode = "bridge"
		one.Containers[0].PortMappings = []acsproto.PortMapping{{ContainerPortRange: "8000-8003", Protocol: "tcp"}}
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
		reports := h.control.Reports(one.ARN)
		b := reports[len(reports)-1].Containers[0].NetworkBindings
		var first, last int
		if len(b) != 1 || *b[0].ContainerPortRange != "8000-8003" {
			t.Fatalf("bindings %+v", b)
		}
		if _, err := fmt.Sscanf(*b[0].HostPortRange, "%d-%d", &first, &last); err != nil || last != first+3 {
			t.Fatalf("host ports %s, %v", *b[0].HostPortRange, err)
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // nc may not listen yet
			conn, err := net.Dial("tcp", net.JoinHostPort(*b[0].BindIP, strconv.Itoa(first+1)))
			if err == nil {
				conn.Close()
			}
			if strings.HasPrefix(last0(h, one.ARN), "STOPPED") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no connection through the range ends the container")
			}
		}
	})
	t.Run("namespaces of the task's own", func(t *testing.T) {
		one := h.task(57, c("a", polite...), c("b", "/bin/sh", "-c",
			`n=0; for p in /proc/[0-9]*; do n=$((n+1)); done; test $n -ge 3 && test "$(cat /proc/sys/kernel/msgmax)" = 9000 && exit 8`))
		one.PidMode, one.IpcMode = "task", "task"
		one.Containers[0].DockerConfig.HostConfig = `{"NetworkMode":"none","Sysctls":{"kernel.msgmax":"9000"}}`
		one.Containers[1].DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "START"}}
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(143) b:STOPPED(8)")
	})
}

func last0(h *host, arn string) string { return last(h.control.Reports(arn)) }

// TestFireLens has a container's log lines arrive at the task's log router, whose address it knows.
func TestFireLens(t *testing.T) {
	h := newEquippedHost(t)
	binary := filepath.Join(t.TempDir(), "router")
	build := exec.Command("go", "build", "-o", binary, "./testdata/router")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := h.engine.ImportImage(t.Context(), routerImage, binary, docker.ImageConfig{Entrypoint: []string{"/bin/router"}}); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	one := h.task(61, c("app", "/bin/sh", "-c", "echo hello; echo $FLUENT_HOST:$FLUENT_PORT; trap 'echo bye; exit 0' TERM; while :; do sleep 1000 & wait; done"), c("router"))
	one.NetworkMode = "bridge"
	one.Volumes = []acsproto.Volume{{Name: "out", Host: acsproto.HostVolume{SourcePath: out}}}
	one.Containers[0].DockerConfig.HostConfig = `{"NetworkMode":"bridge","LogConfig":{"Type":"awsfirelens","Config":{"Name":"stdout","log-driver-buffer-limit":"2097152"}}}`
	one.Containers[1].Image, one.Containers[1].StopTimeout = routerImage, 2
	one.Containers[1].Firelens = &acsproto.Firelens{Type: "fluentbit"}
	one.Containers[1].MountPoints = []acsproto.MountPoint{{SourceVolume: "out", ContainerPath: "/out"}}
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING app:RUNNING router:RUNNING")
	reports := h.control.Reports(one.ARN)
	address, err := exec.Command("docker", "inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", *reports[len(reports)-1].Containers[1].RuntimeId).Output()
	if err != nil {
		t.Fatal(err)
	}
	router := strings.TrimSpace(string(address)) + ":24224"
	tag := "app-firelens-" + taskID(61) + " "
	lines := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			got, err := os.ReadFile(out + "/lines")
			if err == nil && string(got) == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the router has %q, %v, want %q", got, err, want)
			}
		}
	}
	lines(tag + "hello\n" + tag + router + "\n")
	h.control.Stop(one.ARN)
	h.await(one.ARN, func(got string) bool { return strings.HasPrefix(got, "STOPPED app:STOPPED(0) router:STOPPED") })
	lines(tag + "hello\n" + tag + router + "\n" + tag + "bye\n") // the router stops last
}

// TestInspect compares what a container was ordered to be, in the engine's words, with what the engine says that it is.
func TestInspect(t *testing.T) {
	h := newEquippedHost(t)
	config := `{"Hostname":"h","Labels":{"l":"v"},"OpenStdin":true,"Tty":true,"User":"1:2","WorkingDir":"/w",
		"Healthcheck":{"Test":["CMD","true"],"Interval":5000000000,"Timeout":2000000000,"Retries":1,"StartPeriod":3000000000}}`
	host := `{"NetworkMode":"bridge","CapAdd":["CAP_NET_ADMIN"],"CapDrop":["CAP_MKNOD"],"Devices":[{"PathOnHost":"/dev/null","PathInContainer":"/dev/n","CgroupPermissions":"rm"}],
		"Dns":["1.1.1.1"],"DnsSearch":["d"],"ExtraHosts":["x:1.2.3.4"],"Init":true,"MemoryReservation":16777216,"MemorySwap":100663296,"MemorySwappiness":10,
		"ReadonlyRootfs":true,"SecurityOpt":["no-new-privileges"],"ShmSize":33554432,"Sysctls":{"net.core.somaxconn":"512"},"Tmpfs":{"/t":"size=16m,noexec"},
		"Ulimits":[{"Name":"nofile","Soft":10,"Hard":20}],"LogConfig":{"Type":"json-file","Config":{"max-size":"1m"}}}`
	one := h.task(71, c("a", polite...))
	one.NetworkMode = "bridge"
	one.Containers[0].CPUUnits, one.Containers[0].MemoryMiB = 128, 64
	one.Containers[0].DockerConfig = acsproto.DockerConfig{Config: config, HostConfig: host}
	one.Containers[0].Command = []string{"/bin/sh", "-c", "while :; do sleep 1; done"}
	one.Containers[0].StopTimeout = 2
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING a:RUNNING")
	id := *h.control.Reports(one.ARN)[0].Containers[0].RuntimeId
	text, err := exec.Command("docker", "inspect", id).Output()
	if err != nil {
		t.Fatal(err)
	}
	var is []struct{ Config, HostConfig map[string]any }
	if err := json.Unmarshal(text, &is); err != nil {
		t.Fatal(err)
	}
	for ordered, have := range map[string]map[string]any{config: is[0].Config, host: is[0].HostConfig} {
		var want map[string]any
		if err := json.Unmarshal([]byte(ordered), &want); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			got := have[k]
			if k == "Labels" {
				got = map[string]any{"l": have[k].(map[string]any)["l"]}
			}
			if diff := cmp.Diff(v, got); diff != "" {
				t.Errorf("%s (-ordered +in the engine):\n%s", k, diff)
			}
		}
	}
	if is[0].HostConfig["CpuShares"] != 128.0 || is[0].HostConfig["Memory"] != float64(64<<20) {
		t.Errorf("CPU shares %v, memory %v", is[0].HostConfig["CpuShares"], is[0].HostConfig["Memory"])
	}
}
