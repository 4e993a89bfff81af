package docker_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
	"berth/internal/agent/statefile"
)

// host is an agent on the machine's engine, with a control plane in memory.
type host struct {
	t       testing.TB
	engine  *docker.Engine
	control *agenttest.Control
	config  agent.Config
	dir     string
	ids     []string // of the tasks, whose groups are removed in the end
	kill    func()
	agent   *agent.Agent // that runs
}

func newHost(t testing.TB) *host { return newHostOn(t, open(t)) }

// newHostOn is a host on another engine, to which the test image is brought.
func newHostOn(t testing.TB, e *docker.Engine) *host {
	importBusybox(t, e)
	h := &host{t: t, engine: e}
	h.prepare()
	h.start()
	return h
}

// prepare makes everything around the agent.
func (h *host) prepare() {
	h.control, h.dir, h.kill = agenttest.NewControl(), h.t.TempDir(), func() {}
	h.config = agent.Config{
		Installation: installation(), Instances: []agent.InstanceConfig{{Name: "one", Cluster: "demo", HostAddress: "127.0.1.77"}}, Engine: h.engine.Seam(),
		API: func(agent.InstanceConfig) agent.API { return h.control }, RunAgent: h.control.RunAgent, RunTelemetry: h.control.RunTelemetry,
	}
	if os.Getenv("AGENT_TEST_LOG") != "" {
		h.config.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	driver := func(ctx context.Context) (string, error) { m, err := h.engine.Machine(ctx); return m.CgroupDriver, err }
	if groups, err := machine.OpenGroups("/sys/fs/cgroup", installation(), driver); err == nil {
		h.config.Groups = groups
	}
	h.t.Cleanup(h.clear)
}

// start starts an agent; kill ends it as a crash does: everything under way is cut off, and nothing is told.
func (h *host) start() {
	h.t.Helper()
	f, err := statefile.Open(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	c := h.config
	c.Ledger = f
	a, err := agent.New(c)
	if err != nil {
		h.t.Fatal(err)
	}
	h.agent = a
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	h.kill = func() {
		cancel()
		<-ended
		f.Close()
		h.kill = func() {}
	}
}

// clear removes everything that the test's tasks have made.
func (h *host) clear() {
	h.kill()
	ctx := context.Background()
	list, err := h.engine.List(ctx)
	if err != nil {
		h.t.Error(err)
	}
	for _, o := range list {
		if err := h.engine.Remove(ctx, o.ID); err != nil {
			h.t.Error(err)
		}
	}
	for _, id := range h.ids {
		if h.config.Groups != nil {
			if err := h.config.Groups.Remove(ctx, agent.Group{Instance: "one", Task: id}); err != nil {
				h.t.Error(err)
			}
		}
	}
}

// taskID is the id of a test's task. Two runs of these tests at once do not meet.
func taskID(n int) string { return fmt.Sprintf("%016x%016x", os.Getpid(), n) }

func (h *host) task(n int, containers ...acsproto.Container) acsproto.Task {
	id := taskID(n)
	h.ids = append(h.ids, id)
	return acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/" + id, Cluster: "demo",
		Family: "real", Version: "1", NetworkMode: "none", Containers: containers}
}

func c(name string, command ...string) acsproto.Container {
	return acsproto.Container{Name: name, Image: busybox, Essential: true, Command: command}
}

// expect waits until the newest report of a task is want.
func (h *host) expect(arn, want string) {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		got := last(h.control.Reports(arn))
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the last report is\n%s, want\n%s", got, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRealTasks(t *testing.T) {
	h := newHost(t)
	ctx := t.Context()

	t.Run("exits", func(t *testing.T) {
		one := h.task(1, c("a", "/bin/sh", "-c", `test "$NAME" = value && exit 7`))
		one.Containers[0].Environment = map[string]string{"NAME": "value"}
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(7)")
	})
	t.Run("stops", func(t *testing.T) {
		one := h.task(2, c("a", polite...), c("b", polite...))
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		h.control.Stop(one.ARN)
		h.expect(one.ARN, "STOPPED a:STOPPED(143) b:STOPPED(143)")
	})
	t.Run("no such program", func(t *testing.T) {
		one := h.task(3, c("a", "/no/such/program"))
		h.control.Run(one)
		h.expect(one.ARN, `STOPPED a:STOPPED CannotStartContainerError: Error response from daemon: failed to create shim task: OCI runtime create failed: `+
			`runc create failed: unable to start container process: exec: "/no/such/program": stat /no/such/program: no such file or directory: unknown`)
	})
	t.Run("ports", func(t *testing.T) {
		one := h.task(4, c("a", polite...))
		one.NetworkMode = "bridge"
		one.Containers[0].PortMappings = []acsproto.PortMapping{{ContainerPort: 80, Protocol: "tcp"}, {ContainerPort: 81, HostPort: 8181, Protocol: "tcp"}}
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
		reports := h.control.Reports(one.ARN)
		b := reports[len(reports)-1].Containers[0].NetworkBindings
		if len(b) != 2 || *b[0].BindIP != "127.0.1.77" || *b[0].HostPort < 1024 || *b[0].ContainerPort != 80 || *b[1].HostPort != 8181 {
			t.Fatalf("bindings %+v", b)
		}
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.1.77:%d", *b[0].HostPort))
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		two := h.task(5, c("a", polite...))
		two.NetworkMode = "bridge"
		two.Containers[0].PortMappings = []acsproto.PortMapping{{ContainerPort: 81, HostPort: 8181, Protocol: "tcp"}}
		h.control.Run(two)
		h.await(two.ARN, func(got string) bool {
			return strings.HasPrefix(got, "STOPPED a:STOPPED CannotStartContainerError: ") && strings.Contains(got, "port is already allocated")
		})
	})
	t.Run("out of memory of its own", func(t *testing.T) {
		one := h.task(6, c("a", eat...))
		one.Containers[0].MemoryMiB = 16
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(137) OutOfMemoryError: Container killed due to memory usage")
	})
	t.Run("out of the task's memory, beside an innocent", func(t *testing.T) {
		if h.config.Groups == nil {
			t.Skip("no control groups")
		}
		one := h.task(7, c("a", eat...), c("b", "/bin/sleep", "1000"))
		one.Containers[1].StopTimeout = 2
		one.MemoryMiB = 32
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(137) OutOfMemoryError: Container killed due to memory usage b:STOPPED(137)")
	})
	t.Run("healthy opens the gate", func(t *testing.T) {
		one := h.task(8, c("a", polite...), c("b", polite...))
		one.Containers[0].HealthCheckType = "docker"
		one.Containers[0].DockerConfig.Config = `{"Healthcheck":{"Test":["CMD","/bin/true"],"Interval":1000000000,"Timeout":5000000000,"Retries":3}}`
		one.Containers[1].DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "HEALTHY"}}
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
	})
	t.Run("a volume between containers", func(t *testing.T) {
		one := h.task(9, c("a", "/bin/sh", "-c", "echo hello > /data/x"), c("b", "/bin/sh", "-c", `test "$(cat /data/x)" = hello && exit 5`))
		one.Volumes = []acsproto.Volume{{Name: "data"}}
		one.Containers[0].Essential = false
		for i := range one.Containers {
			one.Containers[i].MountPoints = []acsproto.MountPoint{{SourceVolume: "data", ContainerPath: "/data"}}
		}
		one.Containers[1].DependsOn = []acsproto.DependsOn{{ContainerName: "a", Condition: "SUCCESS"}}
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(0) b:STOPPED(5)")
		h.kill() // the clean-up, by an agent that does not wait for it
		h.config.CleanUpAfter = time.Nanosecond
		h.start()
		h.gone(ctx, one.ARN)
		h.kill()
		h.config.CleanUpAfter = time.Hour
		h.start()
	})
	t.Run("no image", func(t *testing.T) {
		one := h.task(10, c("a", "x"))
		one.Containers[0].Image = "127.0.0.1:1/nowhere:1"
		h.control.Run(one)
		h.await(one.ARN, func(got string) bool {
			return strings.HasPrefix(got, "STOPPED a:STOPPED CannotPullContainerError: Error response from daemon: ")
		})
	})
	t.Run("host network", func(t *testing.T) {
		one := h.task(11, c("a", polite...))
		one.NetworkMode = "host"
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
	})
}

// eat takes more and more memory.
var eat = []string{"/bin/sh", "-c", "sleep 0.2; tail /dev/zero"}

// await waits until the newest report of a task is good.
func (h *host) await(arn string, good func(string) bool) {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !good(last(h.control.Reports(arn))) {
		if time.Now().After(deadline) {
			h.t.Fatalf("the last report is\n%s", last(h.control.Reports(arn)))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// gone waits until no container of a task is left.
func (h *host) gone(ctx context.Context, arn string) {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		list, err := h.engine.List(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(o agent.Observed) bool { return o.Labels["com.amazonaws.ecs.task-arn"] == arn }) {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("containers of %s are left", arn)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestTelemetry lets a container burn a core for some seconds and reads what is told of it.
func TestTelemetry(t *testing.T) {
	sources := make(chan acs.Telemetry, 1)
	h := &host{t: t, engine: open(t)}
	h.prepare()
	if h.config.Groups == nil {
		t.Skip("no control groups")
	}
	h.config.RunTelemetry = func(ctx context.Context, _ acs.AgentConfig, s acs.Telemetry, _ <-chan struct{}) error {
		sources <- s
		<-ctx.Done()
		return ctx.Err()
	}
	h.start()
	source := <-sources
	one := h.task(41, c("a", "/bin/sh", "-c", "while :; do :; done"))
	one.CPU, one.MemoryMiB = 0.5, 64
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING a:RUNNING")
	time.Sleep(4500 * time.Millisecond) // samples are a second apart
	m := source.Metrics(time.Now())
	if len(m) != 1 || m[0].Task != one.ARN || m[0].Family != "real" || len(m[0].Containers) != 1 {
		t.Fatalf("metrics %+v", m)
	}
	machine, err := h.engine.Machine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cpu, memory := m[0].Containers[0].CPU, m[0].Containers[0].Memory
	want := 100 * 0.5 / float64(machine.CPUs) // the task's limit, in percent of the machine
	if mean := cpu.Sum / float64(cpu.SampleCount); cpu.SampleCount < 2 || mean > 1.2*want || mean < 0.2*want {
		t.Errorf("CPU %+v, want about %v", cpu, want)
	}
	if memory.Max <= 0 || memory.Max > 64 {
		t.Errorf("memory %+v", memory)
	}
	if s := source.Statuses(time.Now()); len(s) != 1 || s[0].Status != "OK" {
		t.Errorf("statuses %+v", s)
	}
}

// TestAdoption kills the agent, lets containers run on, exit and vanish meanwhile, and starts it again; then with its state file lost.
func TestAdoption(t *testing.T) {
	h := newHost(t)
	ctx := t.Context()
	stays, ends, goes := h.task(21, c("a", polite...)), h.task(22, c("a", "/bin/sh", "-c", "sleep 2; exit 9")), h.task(23, c("a", polite...))
	for _, one := range []acsproto.Task{stays, ends, goes} {
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
	}
	id := *h.control.Reports(stays.ARN)[0].Containers[0].RuntimeId
	h.kill()
	if err := h.engine.Remove(ctx, *h.control.Reports(goes.ARN)[0].Containers[0].RuntimeId); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond) // the containers have a life of their own
	h.start()
	h.expect(ends.ARN, "STOPPED a:STOPPED(9)")
	h.expect(goes.ARN, "STOPPED a:STOPPED ContainerVanishedError: No container matching saved ID found")

	h.kill()
	if err := os.Remove(h.dir + "/" + statefile.Name); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.control.Stop(stays.ARN)
	h.expect(stays.ARN, "STOPPED a:STOPPED(143)")
	reports := h.control.Reports(stays.ARN)
	if got := *reports[len(reports)-1].Containers[0].RuntimeId; got != id {
		t.Errorf("container %s was stopped, want %s", got, id)
	}
}
