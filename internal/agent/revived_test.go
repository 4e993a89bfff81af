package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/api/types/container"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// rests checks that a container does not run, and that its task's reports were these statuses, of which none comes again.
func (w *world) rests(arn, container string, statuses ...string) {
	w.t.Helper()
	synctest.Wait()
	if _, runs := w.engine.Running()[w.name(container)]; runs {
		w.t.Errorf("container %s runs", container)
	}
	if got := w.control.Statuses(arn); !slices.Equal(got, statuses) {
		w.t.Errorf("statuses %v, want %v", got, statuses)
	}
}

// TestRestartedBehindTheAgent: a container that has ended and is started again by somebody else is stopped again, whenever the agent learns of it,
// and what was told of its task stays.
func TestRestartedBehindTheAgent(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world)
	}{
		{"docker restart", func(w *world) { w.engine.Restart(w.name("a")) }},
		{"docker start", func(w *world) {
			w.engine.Exit(w.name("a"), 137)
			time.Sleep(time.Minute)
			w.engine.Revive(w.name("a"))
		}},
		{"docker start, again and again", func(w *world) {
			w.engine.Exit(w.name("a"), 137)
			for range 3 {
				time.Sleep(time.Minute)
				w.engine.Revive(w.name("a"))
			}
		}},
		{"the engine is slow", func(w *world) {
			w.engine.SetPace(5 * time.Second)
			w.engine.Restart(w.name("a"))
			time.Sleep(7 * time.Second)
			w.engine.Restart(w.name("a"))
			time.Sleep(time.Minute)
		}},
		{"while the agent is away", func(w *world) {
			w.engine.Exit(w.name("a"), 137)
			time.Sleep(time.Second)
			w.kill()
			w.engine.Revive(w.name("a"))
			w.start()
		}},
		{"the agent is killed before it stops it", func(w *world) {
			w.engine.SetPace(time.Second)
			w.engine.Restart(w.name("a"))
			time.Sleep(time.Second / 2)
			w.kill()
			w.start()
			time.Sleep(10 * time.Second)
		}},
		{"while the engine is away", func(w *world) {
			w.engine.Exit(w.name("a"), 137)
			time.Sleep(time.Second)
			w.engine.Down(true)
			w.engine.Revive(w.name("a"))
			time.Sleep(time.Minute)
			w.engine.Down(false)
			time.Sleep(time.Minute)
		}},
		{"the engine goes away when it is to be stopped", func(w *world) {
			w.engine.SetPace(time.Second)
			w.engine.Restart(w.name("a"))
			time.Sleep(3 * time.Second / 2)
			w.engine.Down(true)
			time.Sleep(time.Minute)
			w.engine.Down(false)
			time.Sleep(2 * time.Minute)
		}},
		{"the engine does not answer in time", func(w *world) {
			w.engine.SetPace(time.Hour)
			w.engine.Restart(w.name("a"))
			time.Sleep(time.Second)
			w.engine.SetPace(0)
			time.Sleep(5 * time.Minute)
		}},
		{"it ends by itself, unheard", func(w *world) {
			w.engine.SetPace(time.Second)
			w.engine.Restart(w.name("a"))
			time.Sleep(time.Second / 2)
			w.engine.Down(true)
			w.engine.Exit(w.name("a"), 1)
			time.Sleep(time.Minute)
			w.engine.Down(false)
			time.Sleep(time.Minute)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start()
				defer func() { w.kill() }()
				one := task(1, essential("a", "app"))
				w.control.Run(one)
				time.Sleep(time.Second)
				c.do(w)
				w.rests(one.ARN, "a", "RUNNING", "STOPPED")
				w.expect(one.ARN, "STOPPED a:STOPPED(137)")
				if w.starts("a") < 2 {
					t.Errorf("the container was started %d times: nothing was to be stopped", w.starts("a"))
				}
				w.engine.SetPace(0)
				time.Sleep(2 * time.Hour)
				w.rests(one.ARN, "a", "RUNNING", "STOPPED")
				if n := w.engine.Containers(agent.Exited); n != 0 || slices.Contains(w.ledger.Keys(), "task/"+one.ARN) {
					t.Errorf("after the clean-up %d containers are left, ledger %v", n, w.ledger.Keys())
				}
			})
		})
	}
}

// TestRestartedBehindARunningTask: one that its task can do without is stopped again too, and the task runs on.
func TestRestartedBehindARunningTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		one := task(1, acsproto.Container{Name: "side", Image: "app"}, essential("main", "app"))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.engine.Restart(w.name("side"))
		w.rests(one.ARN, "side", "RUNNING", "RUNNING")
		w.expect(one.ARN, "RUNNING side:STOPPED(137) main:RUNNING")
	})
}

// TestRestartPolicyBesideDockerRestart: a restart policy lets a container run that somebody else started again, where it would have done so itself.
func TestRestartPolicyBesideDockerRestart(t *testing.T) {
	for _, pace := range []time.Duration{0, time.Second} {
		t.Run(fmt.Sprint("pace ", pace), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start()
				defer func() { w.kill() }()
				one := task(1, restarting("a", "app", 60))
				w.control.Run(one)
				time.Sleep(2 * time.Minute)
				w.engine.SetPace(pace)
				w.engine.Restart(w.name("a"))
				time.Sleep(time.Minute)
				w.expect(one.ARN, "RUNNING a:RUNNING")
				if n := w.starts("a"); n != 2 || w.engine.Containers(agent.Running) != 1 || len(w.engine.Stops()) > 0 {
					t.Errorf("started %d times, stopped %d times", n, len(w.engine.Stops()))
				}
			})
		})
	}
}

// TestRestartedKeepsItsStopTimeout: what is stopped again has its time, and the clean-up waits for it.
func TestRestartedKeepsItsStopTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer func() { w.kill() }()
		a := essential("a", "stubborn")
		a.StopTimeout = 100
		one := task(1, a)
		w.control.Run(one)
		time.Sleep(time.Second)
		w.engine.Exit(w.name("a"), 1)
		time.Sleep(time.Hour - time.Minute)
		w.engine.Revive(w.name("a"))
		time.Sleep(99 * time.Second)
		synctest.Wait()
		if n := w.engine.Containers(agent.Running); n != 1 {
			t.Errorf("%d containers run: it was killed before its stop timeout", n)
		}
		time.Sleep(2 * time.Second)
		w.rests(one.ARN, "a", "RUNNING", "STOPPED")
		if n := w.engine.Containers(agent.Exited); n != 0 {
			t.Errorf("%d containers are left", n)
		}
	})
}

// TestStartedOfATaskThatIsOver: a container with the labels of a task that is not known any more, and not wanted, is stopped and removed.
func TestStartedOfATaskThatIsOver(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world, start func())
	}{
		{"at its start", func(_ *world, start func()) { start() }},
		{"agent away, its ledger lost", func(w *world, start func()) {
			w.kill()
			w.ledger.Lose()
			start()
			w.start()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.start()
				defer func() { w.kill() }()
				one, two := task(1, essential("a", "job")), task(2, essential("b", "app"))
				w.control.Run(one)
				w.control.Run(two)
				time.Sleep(time.Second)
				labels := w.engine.Running()[w.name("a")]
				time.Sleep(3 * time.Hour)
				if slices.Contains(w.ledger.Keys(), "task/"+one.ARN) {
					t.Fatal("the task is still known")
				}
				c.do(w, func() {
					id, err := w.engine.Create(t.Context(), agent.Spec{Name: "copy-a-1", Config: &container.Config{Image: "app", Labels: labels}, HostConfig: &container.HostConfig{}})
					if err != nil {
						t.Fatal(err)
					}
					w.engine.Revive(id)
				})
				time.Sleep(time.Second)
				synctest.Wait()
				if _, runs := w.engine.Running()["copy-a-1"]; runs || w.engine.Containers(agent.Running) != 1 {
					t.Errorf("running: %v", w.engine.Running())
				}
				w.expect(two.ARN, "RUNNING b:RUNNING")
				if s := w.control.Statuses(one.ARN); s[len(s)-1] != "STOPPED" {
					t.Errorf("statuses %v", s)
				}
			})
		})
	}
}

// TestKilledAtEveryStepOfARevival kills the agent at every point at which it reaches outside while a container is started again behind it.
func TestKilledAtEveryStepOfARevival(t *testing.T) {
	points := 0
	for ended := false; !ended; {
		points++
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.engine.AddImage("job", agenttest.Image{Runs: time.Minute, ExitCode: 3})
			one := task(1, essential("a", "app"), essential("b", "job"))
			w.control.Run(one)
			time.AfterFunc(2*time.Minute, func() {
				for name := range w.engine.Done() {
					if n, ok := strings.CutPrefix(name, "create "); ok {
						w.engine.Revive(n)
					}
				}
			})
			at := w.until(points)
			time.Sleep(3 * time.Minute)
			w.start()
			defer func() { w.kill() }()
			time.Sleep(3 * time.Minute)
			synctest.Wait()
			if got := w.story(one.ARN); at == "" && got != "STOPPED a:STOPPED(143) b:STOPPED(3)" {
				t.Errorf("the last report is %s", got)
			}
			if s := w.control.Statuses(one.ARN); w.engine.Containers(agent.Running) > 0 || s[len(s)-1] != "STOPPED" {
				t.Errorf("killed at point %d (%s): %d containers run, statuses %v", points, at, w.engine.Containers(agent.Running), s)
			}
			ended = at == ""
		})
	}
	if points < 20 {
		t.Errorf("only %d points: the test does not reach what it is for", points)
	}
}
