package docker_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"berth/internal/agent"
	"berth/internal/agent/docker"
)

// daemon is a dockerd of the test's own, with live-restore and without networks.
type daemon struct {
	t      *testing.T
	dir    string
	host   string
	config string // the text of its configuration file
	cmd    *exec.Cmd
}

func newDaemon(t *testing.T, config string) *daemon {
	if _, err := exec.LookPath("dockerd"); err != nil || os.Geteuid() != 0 {
		if os.Getenv("BERTH_DOCKER") == "require" {
			t.Fatal("no dockerd that this user may start")
		}
		t.Skip("no dockerd that this user may start")
	}
	dir, err := os.MkdirTemp("", "dockerd")
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: dir, host: "unix://" + dir + "/docker.sock", config: config}
	t.Cleanup(d.destroy)
	d.start()
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	config := filepath.Join(d.dir, "daemon.json")
	if err := os.WriteFile(config, []byte(d.config), 0o600); err != nil {
		d.t.Fatal(err)
	}
	os.Remove(filepath.Join(d.dir, "pid")) //nolint:errcheck // stale after a kill
	d.cmd = exec.Command("dockerd", "--config-file", config, "--data-root", d.dir+"/data", "--exec-root", d.dir+"/exec", "--pidfile", d.dir+"/pid",
		"-H", d.host, "--live-restore", "--bridge=none", "--iptables=false", "--ip-forward=false")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET} // without a bridge of its own it would remove the machine's
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

// engine is the daemon as the agent's engine, when it is up.
func (d *daemon) engine() *docker.Engine {
	d.t.Helper()
	e, err := docker.Open(d.host, installation())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { e.Close() })
	d.up(e)
	return e
}

// up waits until the daemon answers.
func (d *daemon) up(e *docker.Engine) {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if m, err := e.Machine(context.Background()); err == nil {
			if !m.LiveRestore {
				d.t.Error("no live-restore")
			}
			return
		} else if time.Now().After(deadline) {
			d.t.Fatal(err)
		}
	}
}

// kill ends the daemon as a crash does.
func (d *daemon) kill() {
	d.cmd.Process.Kill() //nolint:errcheck // it may be gone
	d.cmd.Wait()         //nolint:errcheck // it was killed
}

// destroy ends the daemon, the containerd that it started, and removes what they kept. The test has removed its containers.
func (d *daemon) destroy() {
	d.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be gone
	d.cmd.Wait()                          //nolint:errcheck // it was told to end
	if text, err := os.ReadFile(filepath.Join(d.dir, "exec/containerd/containerd.pid")); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			syscall.Kill(pid, syscall.SIGTERM) //nolint:errcheck // it may be gone
			for range 100 {
				if syscall.Kill(pid, 0) != nil {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	d.unmount()
	if d.t.Failed() {
		d.t.Logf("the daemon's log is %s/log", d.dir)
		return
	}
	if err := os.RemoveAll(d.dir); err != nil {
		d.t.Error(err)
	}
}

// unmount takes away what a daemon with live-restore leaves mounted.
func (d *daemon) unmount() {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		d.t.Error(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, l := range slices.Backward(lines) { // the innermost came last
		if f := strings.Fields(l); len(f) > 1 && strings.HasPrefix(f[1], d.dir) {
			if err := syscall.Unmount(f[1], 0); err != nil {
				d.t.Errorf("unmount %s: %v", f[1], err)
			}
		}
	}
}

// TestDaemonIsKilled kills the engine under running tasks: they run on, what ended meanwhile is told, and new tasks start when it is back.
func TestDaemonIsKilled(t *testing.T) {
	d := newDaemon(t, "{}")
	e := d.engine()
	h := newHostOn(t, e)
	stays, ends, late := h.task(31, c("a", polite...)), h.task(32, c("a", "/bin/sh", "-c", "sleep 3; exit 9")), h.task(33, c("a", polite...))
	h.control.Run(stays)
	h.control.Run(ends)
	h.expect(stays.ARN, "RUNNING a:RUNNING")
	h.expect(ends.ARN, "RUNNING a:RUNNING")
	d.kill()
	h.control.Run(late)
	time.Sleep(4 * time.Second) // a container ends while nobody watches
	d.start()
	d.up(e)
	h.expect(late.ARN, "RUNNING a:RUNNING")
	h.expect(ends.ARN, "STOPPED a:STOPPED(9)")
	h.expect(stays.ARN, "RUNNING a:RUNNING")
	o, err := e.Inspect(context.Background(), *h.control.Reports(stays.ARN)[0].Containers[0].RuntimeId)
	if err != nil || o.State != agent.Running {
		t.Errorf("the container that should have stayed is %v, %v", o.State, err)
	}
	h.control.Stop(stays.ARN)
	h.expect(stays.ARN, "STOPPED a:STOPPED(143)")
}
