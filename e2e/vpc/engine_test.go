// Package vpc drives tasks with network interfaces on machines of their own: network namespaces, each with an engine and an agent, joined by a bridge.
package vpc

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"berth/e2e/site"
	"berth/internal/agent/docker"
)

func TestMain(m *testing.M) { os.Exit(site.Main(m, 2)) }

// image is what the tasks run: busybox, under a name that no registry has.
const image = "berth-test/vpc:1"

// engine is a dockerd of a machine's own, with live-restore and without networks.
type engine struct {
	t       *testing.T
	on      *site.Network
	machine int
	dir     string
	host    string
	process *exec.Cmd
}

// newEngine starts an engine that has the image. What the test does not end is ended with it: containers too.
func newEngine(t *testing.T, on *site.Network, machine int) *engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "e") // short: sockets are in it
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, on: on, machine: machine, dir: dir, host: "unix://" + dir + "/docker.sock"}
	if err := os.WriteFile(filepath.Join(dir, "daemon.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.destroy)
	e.start()
	api, err := docker.Open(e.host, "none")
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if err := api.ImportImage(context.Background(), image, "/bin/busybox", docker.ImageConfig{Links: []string{"/bin/sh"}}); err != nil {
		t.Fatal(err)
	}
	return e
}

// start starts the daemon, and waits until it answers.
func (e *engine) start() {
	e.t.Helper()
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	_ = os.Remove(filepath.Join(e.dir, "pid")) // stale after a kill
	e.process = e.on.Command(e.machine, "dockerd", "--config-file", e.dir+"/daemon.json", "--data-root", e.dir+"/data", "--exec-root", e.dir+"/exec", "--pidfile", e.dir+"/pid",
		"-H", e.host, "--live-restore", "--bridge=none", "--iptables=false", "--ip-forward=false")
	e.process.Stdout, e.process.Stderr = log, log
	if err := e.process.Start(); err != nil {
		e.t.Fatal(err)
	}
	site.Eventually(e.t, "the engine answers", func() error { _, err := e.docker("version"); return err })
}

// kill ends the daemon as a crash does, and its containerd with it. Its containers run on.
func (e *engine) kill() {
	if e.process == nil || e.process.Process == nil {
		return // it could not be started
	}
	_ = e.process.Process.Kill() // it may have ended
	_ = e.process.Wait()         // it was killed
	e.endContainerd(unix.SIGKILL)
}

// endContainerd ends the containerd that the daemon has started. The next daemon would wait for one that is written down and not there.
func (e *engine) endContainerd(with unix.Signal) {
	file := filepath.Join(e.dir, "exec/containerd/containerd.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return
	}
	_ = unix.Kill(pid, with) // it may have ended
	for range 100 {
		if unix.Kill(pid, 0) != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = os.Remove(file) // it may have
}

// docker is a command of the engine's client, with what it prints in words.
func (e *engine) docker(args ...string) ([]string, error) {
	out, err := exec.Command("docker", append([]string{"-H", e.host}, args...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out)), nil
}

// containers are all of an installation's, also those that have ended.
func (e *engine) containers() []string {
	e.t.Helper()
	names, err := e.docker("ps", "-a", "--format", "{{.Names}}")
	if err != nil {
		e.t.Fatal(err)
	}
	return names
}

// process of a task's container in the machine's namespace.
func (e *engine) pid(task string) (int, error) {
	ids, err := e.docker("ps", "-q", "--filter", "label=com.amazonaws.ecs.task-arn="+task, "--filter", "label=com.amazonaws.ecs.container-name=web")
	if err != nil || len(ids) != 1 {
		return 0, fmt.Errorf("task %s runs in %v: %w", task, ids, err)
	}
	pid, err := e.docker("inspect", "-f", "{{.State.Pid}}", ids[0])
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(pid[0])
}

// destroy removes the containers, ends the daemon and the containerd that it has started, and removes what they kept.
func (e *engine) destroy() {
	if ids, err := e.docker("ps", "-aq"); err == nil && len(ids) > 0 {
		_, _ = e.docker(append([]string{"rm", "-f"}, ids...)...) // the guard ends those that stay
	}
	if e.process != nil && e.process.Process != nil {
		_ = e.process.Process.Signal(syscall.SIGTERM) // it may have ended
		_ = e.process.Wait()                          // it was told to
	}
	e.endContainerd(unix.SIGTERM)
	if e.t.Failed() {
		text, _ := os.ReadFile(filepath.Join(e.dir, "log")) // none
		e.t.Logf("== engine of machine %d\n%s", e.machine, text[max(0, len(text)-3000):])
	}
}
