package docker_test

import (
	"context"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// restart is docker restart -t 0.
func restart(t *testing.T, id string) {
	t.Helper()
	api, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	now := 0
	if _, err := api.ContainerRestart(t.Context(), id, client.ContainerRestartOptions{Timeout: &now}); err != nil {
		t.Fatal(err)
	}
}

// rests waits until a container that was started more than once has ended.
func (h *host) rests(ctx context.Context, id string, first time.Time) {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		o, err := h.engine.Inspect(ctx, id)
		if err != nil {
			h.t.Fatal(err)
		}
		if o.State == agent.Exited && o.StartedAt.After(first) {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the container is %v, started at %v", o.State, o.StartedAt)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestRestartedBehindTheAgent: docker restart of a task's container, docker start of it when it has ended, and the same while the agent is away.
func TestRestartedBehindTheAgent(t *testing.T) {
	h := newHost(t)
	ctx := t.Context()
	sleeper := func(name string) acsproto.Container { // ends with 137, of SIGKILL
		one := c(name, "/bin/sleep", "1000")
		one.StopTimeout = 1
		return one
	}
	one := h.task(51, sleeper("a"))
	h.control.Run(one)
	h.expect(one.ARN, "RUNNING a:RUNNING")
	id := *h.control.Reports(one.ARN)[0].Containers[0].RuntimeId
	again := func(start func()) {
		t.Helper()
		o, err := h.engine.Inspect(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		start()
		h.rests(ctx, id, o.StartedAt)
	}
	start := func() {
		if err := h.engine.Start(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	again(func() { restart(t, id) })
	h.expect(one.ARN, "STOPPED a:STOPPED(137)")
	again(start)
	again(func() { h.kill(); start(); h.start() })
	if got := len(h.control.Reports(one.ARN)); got != 2 {
		t.Errorf("%d reports, the last %s", got, last(h.control.Reports(one.ARN)))
	}

	side := h.task(52, sleeper("side"), c("main", polite...)) // a task that goes on
	side.Containers[0].Essential = false
	h.control.Run(side)
	h.expect(side.ARN, "RUNNING side:RUNNING main:RUNNING")
	reports := h.control.Reports(side.ARN)
	id = *reports[len(reports)-1].Containers[0].RuntimeId
	again(func() { restart(t, id) })
	h.expect(side.ARN, "RUNNING side:STOPPED(137) main:RUNNING")

	policy := h.task(53, sleeper("a")) // and one whose restart policy has it run on
	policy.Containers[0].RestartPolicy = &acsproto.RestartPolicy{Enabled: true, RestartAttemptPeriod: 1}
	h.control.Run(policy)
	h.expect(policy.ARN, "RUNNING a:RUNNING")
	id = *h.control.Reports(policy.ARN)[0].Containers[0].RuntimeId
	time.Sleep(1200 * time.Millisecond) // its period
	restart(t, id)
	time.Sleep(time.Second) // nothing is to happen
	if o, err := h.engine.Inspect(ctx, id); err != nil || o.State != agent.Running {
		t.Errorf("the container is %v, %v", o.State, err)
	}
	h.expect(policy.ARN, "RUNNING a:RUNNING")
}
