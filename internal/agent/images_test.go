package agent_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

func TestPullBehavior(t *testing.T) {
	const fine, failing = "RUNNING a:RUNNING", "STOPPED a:STOPPED CannotPullContainerError: i/o timeout"
	refused := &agent.PullRefusedError{Err: errors.New("denied")}
	for _, c := range []struct {
		name     string
		behavior agent.PullBehavior
		local    *agenttest.Image
		registry error
		pulls    int
		want     string
	}{
		{"made here", "default", &agenttest.Image{}, nil, 0, fine},
		{"made here, always", "always", &agenttest.Image{}, nil, 1, fine},
		{"pulled before", "default", &agenttest.Image{Digest: "sha256:old"}, nil, 1, fine},
		{"falls back", "default", &agenttest.Image{Digest: "sha256:old"}, errors.New("i/o timeout"), 5, fine},
		{"always does not", "always", &agenttest.Image{Digest: "sha256:old"}, errors.New("i/o timeout"), 5, failing},
		{"cached is preferred", "prefer-cached", &agenttest.Image{Digest: "sha256:old"}, nil, 0, fine},
		{"not there", "prefer-cached", nil, nil, 1, fine},
		{"not to be had", "default", nil, errors.New("i/o timeout"), 5, failing},
		{"refused once", "default", nil, refused, 1, "STOPPED a:STOPPED CannotPullContainerError: denied"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.config.PullBehavior = c.behavior
				w.engine.Registry["img"] = agenttest.Image{Digest: "sha256:new"}
				if c.local != nil {
					w.engine.AddImage("img", *c.local)
				}
				if c.registry != nil {
					w.engine.PullErrors["img"] = c.registry
				}
				w.start()
				defer func() { w.kill() }()
				w.control.Run(task(1, essential("a", "img")))
				time.Sleep(time.Minute)
				w.expect(task(1).ARN, c.want)
				if n := w.engine.Done()["pull img"]; n != c.pulls {
					t.Errorf("pulled %d times, want %d", n, c.pulls)
				}
			})
		})
	}
}

func TestOnePullForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.Registry["img"] = agenttest.Image{Digest: "sha256:new"}
		w.engine.Delay["pull"] = time.Minute
		w.start()
		defer func() { w.kill() }()
		for i := range 20 {
			w.control.Run(task(i, essential("a", "img")))
		}
		time.Sleep(10 * time.Second)
		w.control.Stop(task(0).ARN) // one gives up, the others do not
		w.expect(task(0).ARN, "STOPPED a:STOPPED")
		time.Sleep(time.Minute)
		for i := 1; i < 20; i++ {
			w.expect(task(i).ARN, "RUNNING a:RUNNING")
		}
		if n := w.engine.Done()["pull img"]; n != 1 {
			t.Errorf("pulled %d times", n)
		}
		if r := w.control.Reports(task(1).ARN)[0]; r.PullStoppedAt == nil || r.PullStoppedAt.Sub(*r.PullStartedAt) < 59*time.Second ||
			*r.Containers[0].ImageDigest != "sha256:new" {
			t.Errorf("reported %+v", r)
		}
	})
}

func TestPullOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.PullBehavior = agent.PullOnce
		w.engine.AddImage("img", agenttest.Image{Digest: "sha256:old"})
		w.engine.Registry["img"] = agenttest.Image{Digest: "sha256:new"}
		w.start()
		defer func() { w.kill() }()
		for i := range 3 {
			w.control.Run(task(i, essential("a", "img")))
			w.expect(task(i).ARN, "RUNNING a:RUNNING")
		}
		if n := w.engine.Done()["pull img"]; n != 1 {
			t.Errorf("pulled %d times", n)
		}
	})
}

func TestSlowEngine(t *testing.T) {
	for op, want := range map[string]string{
		"create": "STOPPED a:STOPPED DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
		"start":  "STOPPED a:STOPPED DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
	} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.engine.Delay[op] = time.Hour
				w.start()
				defer func() { w.kill() }()
				w.control.Run(task(1, essential("a", "app")))
				time.Sleep(10 * time.Minute)
				w.expect(task(1).ARN, want)
			})
		})
	}
}

func TestEightAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.Delay["start"] = time.Second
		w.start()
		defer func() { w.kill() }()
		for i := range 40 {
			w.control.Run(task(i, essential("a", "app")))
		}
		time.Sleep(5500 * time.Millisecond)
		synctest.Wait()
		running := 0
		for i := range 40 {
			if w.story(task(i).ARN) == "RUNNING a:RUNNING" {
				running++
			}
		}
		if running != 40 {
			t.Errorf("after 40 starts of a second, eight at once, %d of 40 run: %s", running, fmt.Sprint(w.story(task(39).ARN)))
		}
	})
}
