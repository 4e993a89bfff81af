package docker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"berth/internal/agent"
)

// TestStatsOfAnInterface: an interface that somebody else than the engine has given a container is measured, and without one there is nothing.
func TestStatsOfAnInterface(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives containers interfaces")
	}
	e := open(t)
	name := "stats-" + installation()
	t.Cleanup(func() { e.Remove(context.Background(), name) }) //nolint:errcheck // what is left is seen in the next run
	id, err := e.Create(t.Context(), agent.Spec{Name: name, Config: &container.Config{Image: busybox, Cmd: polite,
		Labels: map[string]string{agent.LabelInstallation: installation()}}, HostConfig: &container.HostConfig{NetworkMode: "none"}})
	if err == nil {
		err = e.Start(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, err := e.Stats(t.Context(), id); err != nil || len(s.Networks) != 0 {
		t.Errorf("without an interface: %v, %v", s.Networks, err)
	}
	api, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	c, err := api.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(c.Container.State.Pid)
	outer := fmt.Sprintf("st%d", os.Getpid())
	run(t, "ip link add "+outer+" type veth peer name eth0 netns "+pid)
	t.Cleanup(func() { exec.Command("ip", "link", "delete", outer).Run() }) //nolint:errcheck // it goes with the container
	run(t, "ip link set "+outer+" up")
	run(t, "nsenter -t "+pid+" -n ip link set eth0 up")
	s, err := e.Stats(t.Context(), id)
	if _, there := s.Networks["eth0"]; err != nil || !there || len(s.Networks) != 1 {
		t.Errorf("with eth0: %v, %v", s.Networks, err)
	}
}

func run(t *testing.T, command string) {
	t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", command, err, out)
	}
}

// TestProbe: what the last probe of a health check has said is seen.
func TestProbe(t *testing.T) {
	e := open(t)
	name := "probe-" + installation()
	t.Cleanup(func() { e.Remove(context.Background(), name) }) //nolint:errcheck // what is left is seen in the next run
	id, err := e.Create(t.Context(), agent.Spec{Name: name, HostConfig: &container.HostConfig{NetworkMode: "none"}, Config: &container.Config{
		Image: busybox, Cmd: polite, Labels: map[string]string{agent.LabelInstallation: installation()},
		Healthcheck: &container.HealthConfig{Test: []string{"CMD-SHELL", "echo so; exit 1"}, Interval: 100 * time.Millisecond, Retries: 1},
	}})
	if err == nil {
		err = e.Start(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		o, err := e.Inspect(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if o.Health == "UNHEALTHY" && o.Probe != nil && *o.Probe == (agent.Probe{ExitCode: 1, Output: "so\n"}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s, %+v", o.Health, o.Probe)
		}
	}
}
