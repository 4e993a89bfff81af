package docker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/docker"
)

// busybox is the image of these tests alone, made from Debian's static busybox.
const busybox = "berth-test/engine:1"

// open returns the machine's engine with the test image. Without an engine the test is skipped, unless BERTH_DOCKER is "require".
func open(t testing.TB) *docker.Engine {
	t.Helper()
	e, err := docker.Open("", installation())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if _, err := e.Machine(t.Context()); err != nil {
		if os.Getenv("BERTH_DOCKER") == "require" {
			t.Fatal(err)
		}
		t.Skip("no container engine:", err)
	}
	importBusybox(t, e)
	return e
}

func importBusybox(t testing.TB, e *docker.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	config := docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/true", "/bin/cat", "/bin/nc", "/bin/tail"}, Cmd: []string{"/bin/sh"}}
	if err := e.ImportImage(ctx, busybox, "/bin/busybox", config); err != nil {
		t.Fatal(err)
	}
}

func installation() string { return fmt.Sprint("test-", os.Getpid()) }

// polite runs until SIGTERM.
var polite = []string{"/bin/sh", "-c", "trap 'exit 143' TERM; while :; do sleep 1000 & wait; done"}

func TestEngine(t *testing.T) {
	commands := map[agenttest.Kind][]string{agenttest.Polite: polite, agenttest.Stubborn: {"/bin/sleep", "1000"},
		agenttest.Brief: {"/bin/sh", "-c", "exit 3"}, agenttest.Broken: {"/no/such/program"}, agenttest.Nowhere: nil}
	agenttest.RunEngine(t, func(t *testing.T) agenttest.Rig {
		return agenttest.Rig{Engine: open(t).Seam(), Installation: installation(), LocalImage: busybox, Spec: func(k agenttest.Kind) agent.Spec {
			image := busybox
			if k == agenttest.Nowhere {
				image = "berth-test/nowhere:1"
			}
			return agent.Spec{Config: &container.Config{Image: image, Cmd: commands[k]}, HostConfig: &container.HostConfig{NetworkMode: "none"}}
		}}
	})
}

func TestNoEngine(t *testing.T) {
	e, err := docker.Open("unix://"+t.TempDir()+"/none.sock", "x")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx := t.Context()
	_, create := e.Create(ctx, agent.Spec{Name: "x", Config: &container.Config{Image: "x"}})
	_, inspect := e.Inspect(ctx, "x")
	_, list := e.List(ctx)
	_, machine := e.Machine(ctx)
	watch := e.Watch(ctx, func() { t.Error("ready without an engine") }, func(agent.Event) {})
	for what, err := range map[string]error{"create": create, "start": e.Start(ctx, "x"), "stop": e.Stop(ctx, "x", time.Second),
		"remove": e.Remove(ctx, "x"), "inspect": inspect, "list": list, "machine": machine, "watch": watch, "pull": e.Pull(ctx, "x", agent.Login{})} {
		if !isUnavailable(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func isUnavailable(err error) bool { return errors.Is(err, agent.ErrUnavailable) }

// TestGateway: the gateway is an address of this machine.
func TestGateway(t *testing.T) {
	a, err := open(t).Gateway(t.Context())
	if err != nil || !a.Is4() {
		t.Fatalf("%v, %v", a, err)
	}
	l, err := net.Listen("tcp", netip.AddrPortFrom(a, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
