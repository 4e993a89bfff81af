package docker_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/machine"
)

// fargate makes a task one of Fargate, of a quarter of a core and 64 MiB.
func fargate(t acsproto.Task) acsproto.Task {
	t.LaunchType, t.CPU, t.MemoryMiB, t.EphemeralStorageGiB = "FARGATE", 0.25, 64, 1
	return t
}

// groupFile reads a control file of a task's group, in whichever hierarchy it is.
func groupFile(t *testing.T, task acsproto.Task, name string) string {
	t.Helper()
	id, found := task.ARN[strings.LastIndex(task.ARN, "/")+1:], ""
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, e fs.DirEntry, err error) error {
		switch {
		case path == "/sys/fs/cgroup/unified": // beside v1's, without limits
			return fs.SkipDir
		case err != nil || !e.IsDir() || !strings.Contains(e.Name(), id):
			return nil //nolint:nilerr // groups of others go meanwhile
		}
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			found = filepath.Join(path, name)
		}
		return fs.SkipDir
	})
	if err != nil || found == "" {
		return ""
	}
	text, err := os.ReadFile(found)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// valueOf finds a number in lines of "name number".
func valueOf(t *testing.T, text, name string) int64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in %q", name, text)
	return 0
}

// TestFargateSize: a task's size bounds its containers together, whatever they say themselves.
func TestFargateSize(t *testing.T) {
	h := newHost(t)
	if h.config.Groups == nil {
		t.Skip("no control groups")
	}
	spin := []string{"/bin/sh", "-c", "while :; do :; done"}
	t.Run("CPU", func(t *testing.T) {
		one := fargate(h.task(81, c("a", spin...), c("b", spin...)))
		one.Containers[0].CPUUnits = 4096
		for i := range one.Containers {
			one.Containers[i].StopTimeout = 1
		}
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING b:RUNNING")
		used := func() time.Duration {
			if text := groupFile(t, one, "cpuacct.usage"); text != "" {
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return time.Duration(n)
			}
			return time.Duration(valueOf(t, groupFile(t, one, "cpu.stat"), "usage_usec")) * time.Microsecond
		}
		began, before := time.Now(), used()
		time.Sleep(1500 * time.Millisecond) // the kernel's periods pass
		share := float64(used()-before) / float64(time.Since(began))
		if share <= 0 || share > 0.45 {
			t.Errorf("two busy loops in a quarter of a core took %.2f cores", share)
		}
		if n := valueOf(t, groupFile(t, one, "cpu.stat"), "nr_throttled"); n == 0 {
			t.Error("they were never throttled")
		}
		h.control.Stop(one.ARN)
		h.expect(one.ARN, "STOPPED a:STOPPED(137) b:STOPPED(137)")
	})
	t.Run("memory of the task", func(t *testing.T) {
		const size = `m=$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max)`
		one := fargate(h.task(82, c("a", polite...), c("b", "/bin/sh", "-c", size+`; test "$m" = 67108864 && exit 5`), c("c", "/bin/sh", "-c", size+`; test "$m" = 33554432 && exit 5`)))
		one.Containers[1].Essential, one.Containers[2].Essential, one.Containers[2].MemoryMiB = false, false, 32
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING b:STOPPED(5) c:STOPPED(5)")
		both, swap := groupFile(t, one, "memory.memsw.limit_in_bytes"), groupFile(t, one, "memory.swap.max")
		if both == "" && swap == "" {
			t.Log("this kernel does not count swap")
		} else if both != "" && both != "67108864" || swap != "" && swap != "0" {
			t.Errorf("memory and swap are %q, swap is %q", both, swap)
		}
	})
	t.Run("memory of all together", func(t *testing.T) {
		// Neither reaches its own 48 MiB: a holds 32, b 40.
		one := fargate(h.task(83, c("a", "/bin/sh", "-c", "/bin/busybox head -c 33554432 /dev/zero > /dev/shm/x; "+polite[2]),
			c("b", "/bin/sh", "-c", "sleep 1; exec /bin/busybox dd if=/dev/zero of=/dev/null bs=41943040 count=100000")))
		one.Containers[0].MemoryMiB, one.Containers[1].MemoryMiB = 48, 48
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(143) b:STOPPED(137) OutOfMemoryError: Container killed due to memory usage")
	})
}

// magnified is a storage on which all is so many times as large as it is.
type magnified struct {
	agent.Storage
	times int64
}

func (m magnified) Used(ctx context.Context, d agent.Disk) (agent.DiskUse, error) {
	u, err := m.Storage.Used(ctx, d)
	u.Bytes *= m.times
	return u, err
}

// storage has the host bound ephemeral storage. A GiB is sixteen MiB there.
func (h *host) storage() {
	h.kill()
	root := func(ctx context.Context) (string, error) { m, err := h.engine.Machine(ctx); return m.DataRoot, err }
	h.config.Storage = magnified{machine.OpenStorage(h.engine, root, slog.New(slog.DiscardHandler)), 64}
	h.start()
}

// expectFull waits until a task has stopped because it has outgrown its storage. How its containers ended hangs on what they were doing.
func (h *host) expectFull(arn string) {
	h.t.Helper()
	h.await(arn, func(got string) bool {
		return strings.HasPrefix(got, "STOPPED a:STOPPED(1") && strings.HasSuffix(got, " Task stopped: ephemeral storage limit of 1 GiB exceeded")
	})
}

func TestFargateStorage(t *testing.T) {
	h := newHost(t)
	h.storage()
	write := func(mib int, path string) string {
		return fmt.Sprintf("/bin/busybox head -c %d /dev/zero > %s; ", mib<<20, path)
	}
	t.Run("too much, in layers and a volume together", func(t *testing.T) {
		one := fargate(h.task(91, c("a", "/bin/sh", "-c", write(6, "/x")+write(6, "/data/y")+polite[2]), c("b", "/bin/sh", "-c", write(6, "/x")+"sleep 1000")))
		one.Volumes = []acsproto.Volume{{Name: "data"}}
		one.Containers[0].MountPoints = []acsproto.MountPoint{{SourceVolume: "data", ContainerPath: "/data"}}
		h.control.Run(one)
		h.expectFull(one.ARN)
		reports := h.control.Reports(one.ARN)
		l, err := h.engine.Layer(t.Context(), *reports[len(reports)-1].Containers[0].RuntimeId)
		if err != nil || len(l.Volumes) != 1 {
			t.Fatalf("%+v, %v", l, err)
		}
		h.kill()
		h.config.CleanUpAfter = time.Nanosecond
		h.start()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(l.Volumes[0]); os.IsNotExist(err) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the task's volume is left after the clean-up")
			}
		}
		h.kill()
		h.config.CleanUpAfter = time.Hour
		h.start()
	})
	t.Run("too much, in a file without a name", func(t *testing.T) {
		one := fargate(h.task(93, c("a", "/bin/sh", "-c", "exec 3> /x; /bin/busybox rm /x; /bin/busybox head -c 17000000 /dev/zero >&3; "+polite[2])))
		h.control.Run(one)
		h.expectFull(one.ARN)
	})
	t.Run("not too much", func(t *testing.T) {
		one := fargate(h.task(92, c("a", "/bin/sh", "-c", write(4, "/x")+polite[2])))
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
		deadline := time.Now().Add(time.Minute)
		for {
			used, reserved, ok := h.agent.EphemeralStorage(one.ARN)
			if used >= 4*64 && used < 9*64 && reserved == 1024 && ok { // with the image, of some 2 MiB
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d MiB of %d are used, %v", used, reserved, ok)
			}
			time.Sleep(50 * time.Millisecond)
		}
		h.expect(one.ARN, "RUNNING a:RUNNING")
	})
}

// TestLayer: what the engine says of a container's directories is where it writes.
func TestLayer(t *testing.T) {
	e := open(t)
	ctx := t.Context()
	name := "berth-test-layer-" + installation()
	id, err := e.Create(ctx, agent.Spec{Name: name, Config: &container.Config{Image: busybox, Cmd: []string{"/bin/sh", "-c", "echo hello > /x; echo hello > /data/y"},
		Labels: map[string]string{agent.LabelInstallation: installation()}}, HostConfig: &container.HostConfig{NetworkMode: "none", Binds: []string{name + ":/data"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Remove(context.Background(), id); err != nil {
			t.Error(err)
		}
		if err := e.RemoveVolume(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	for o, err := e.Inspect(ctx, id); o.State != agent.Exited; o, err = e.Inspect(ctx, id) {
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	l, err := e.Layer(ctx, id)
	if err != nil || len(l.Volumes) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	if text, err := os.ReadFile(l.Volumes[0] + "/y"); err != nil || string(text) != "hello\n" {
		t.Errorf("in the volume: %q, %v", text, err)
	}
	if text, err := os.ReadFile(l.Upper + "/x"); l.Upper != "" && (err != nil || string(text) != "hello\n") {
		t.Errorf("in the layer: %q, %v", text, err)
	}
	if n, err := e.LayerBytes(ctx, id); err != nil || n < 6 || n > 1<<20 {
		t.Errorf("the engine says %d bytes, %v", n, err)
	}
	if n, err := e.ImageBytes(ctx, l.Image); err != nil || n < 500_000 {
		t.Errorf("the image has %d bytes, %v", n, err)
	}
	if _, err := e.Layer(ctx, "nowhere"); err == nil {
		t.Error("a container that is not there has a layer")
	}
}

// isolation is a daemon with gVisor: its runsc on ptrace, which runs everywhere, with the network stack of the namespace that it is given.
func isolation(t *testing.T) *docker.Engine {
	path, err := exec.LookPath("runsc")
	if err != nil {
		t.Skip("gVisor's runsc is not installed: apt-get install runsc")
	}
	e := newDaemon(t, fmt.Sprintf(`{"runtimes":{"runsc":{"path":%q,"runtimeArgs":["--platform=ptrace","--network=host"]}}}`, path)).engine()
	importBusybox(t, e)
	ctx := context.Background()
	name := "berth-test-probe-" + installation()
	id, err := e.Create(ctx, agent.Spec{Name: name, Config: &container.Config{Image: busybox, Cmd: []string{"/bin/true"}},
		HostConfig: &container.HostConfig{NetworkMode: "none", Runtime: "runsc"}})
	if err != nil {
		t.Fatal(err)
	}
	err = e.Start(ctx, id)
	if removed := e.Remove(ctx, id); removed != nil {
		t.Error(removed)
	}
	if err != nil {
		t.Skip("gVisor does not start here:", err)
	}
	return e
}

// TestIsolation runs Fargate tasks on gVisor: they see its kernel and not the machine's, and their bounds hold as for others.
func TestIsolation(t *testing.T) {
	e := isolation(t)
	h := &host{t: t, engine: e}
	h.prepare()
	h.config.Instances[0].Runtime = "runsc"
	h.start()
	h.storage()
	kernel, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Fatal(err)
	}
	look := func(n int) acsproto.Task {
		one := h.task(n, c("a", "/bin/sh", "-c", `test "$(cat /proc/version)" = "$KERNEL" && exit 5; exit 6`))
		one.Containers[0].Environment = map[string]string{"KERNEL": strings.TrimSpace(string(kernel))}
		return one
	}
	t.Run("another kernel", func(t *testing.T) {
		one, ec2 := fargate(look(101)), look(102)
		h.control.Run(one)
		h.control.Run(ec2)
		h.expect(one.ARN, "STOPPED a:STOPPED(6)")
		h.expect(ec2.ARN, "STOPPED a:STOPPED(5)")
	})
	t.Run("stops", func(t *testing.T) {
		one := fargate(h.task(103, c("a", polite...)))
		h.control.Run(one)
		h.expect(one.ARN, "RUNNING a:RUNNING")
		h.control.Stop(one.ARN)
		h.expect(one.ARN, "STOPPED a:STOPPED(143)")
	})
	t.Run("memory", func(t *testing.T) {
		if h.config.Groups == nil {
			t.Skip("no control groups")
		}
		one := fargate(h.task(104, c("a", eat...)))
		h.control.Run(one)
		h.expect(one.ARN, "STOPPED a:STOPPED(137) OutOfMemoryError: Container killed due to memory usage")
	})
	t.Run("storage", func(t *testing.T) {
		one := fargate(h.task(105, c("a", "/bin/sh", "-c", "/bin/busybox head -c 17000000 /dev/zero > /x; "+polite[2])))
		h.control.Run(one)
		h.expectFull(one.ARN)
	})
	t.Run("one network namespace", func(t *testing.T) { shareLocalhost(t, e) })
}

// shareLocalhost has two containers on gVisor talk over the localhost of the network namespace of a third, as a task's do over its pause container's.
func shareLocalhost(t *testing.T, e *docker.Engine) {
	ctx := context.Background()
	run := func(name, network, runtime string, command ...string) string {
		t.Helper()
		id, err := e.Create(ctx, agent.Spec{Name: "berth-test-" + name + "-" + installation(), Config: &container.Config{Image: busybox, Cmd: command},
			HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(network), Runtime: runtime}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Remove(ctx, id); err != nil {
				t.Error(err)
			}
		})
		if err := e.Start(ctx, id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	pause := "container:" + run("pause", "none", "", "/bin/sleep", "1000")
	run("server", pause, "runsc", "/bin/sh", "-c", "while :; do echo hello | nc -l -p 8080; done")
	client := run("client", pause, "runsc", "/bin/sh", "-c", `while :; do test "$(nc -w 2 127.0.0.1 8080 < /dev/null)" = hello && exit 5; sleep 0.2; done`)
	deadline := time.Now().Add(time.Minute)
	for {
		o, err := e.Inspect(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		if o.State == agent.Exited {
			if o.ExitCode != 5 {
				t.Errorf("the client exited with %d", o.ExitCode)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the two do not reach each other")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
