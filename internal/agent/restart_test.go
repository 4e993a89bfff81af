package agent_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
)

// restarting is an essential container with a restart policy.
func restarting(name, image string, seconds int64, ignored ...int32) acsproto.Container {
	c := essential(name, image)
	c.RestartPolicy = &acsproto.RestartPolicy{Enabled: true, RestartAttemptPeriod: seconds, IgnoredExitCodes: ignored}
	return c
}

// starts counts how often a container was started.
func (w *world) starts(container string) int { return w.engine.Done()["start "+w.name(container)] }

func TestRestartPolicy(t *testing.T) {
	side := restarting("b", "long", 60)
	side.Essential = false
	for _, c := range []struct {
		name       string
		containers []acsproto.Container
		after      time.Duration
		do         func(w *world)
		want       string
		starts     int // of container a
	}{
		{"it ran for long enough", []acsproto.Container{restarting("a", "job", 60)}, 5*time.Minute + 30*time.Second, nil, "RUNNING a:RUNNING", 6},
		{"300 seconds where nothing is said", []acsproto.Container{restarting("a", "long", 0)}, 11 * time.Minute, nil, "RUNNING a:RUNNING", 3},
		{"not for long enough", []acsproto.Container{restarting("a", "job", 61)}, 5 * time.Minute, nil, "STOPPED a:STOPPED(0)", 1},
		{"an ignored exit code", []acsproto.Container{restarting("a", "job", 60, 3, 0)}, 5 * time.Minute, nil, "STOPPED a:STOPPED(0)", 1},
		{"another exit code", []acsproto.Container{restarting("a", "job", 60, 3)}, 90 * time.Second, nil, "RUNNING a:RUNNING", 2},
		{"disabled", []acsproto.Container{{Name: "a", Image: "job", Essential: true, RestartPolicy: &acsproto.RestartPolicy{RestartAttemptPeriod: 60}}},
			5 * time.Minute, nil, "STOPPED a:STOPPED(0)", 1},
		{"killed from outside", []acsproto.Container{restarting("a", "app", 60)}, 2 * time.Minute, func(w *world) { w.engine.Exit(w.name("a"), 137) },
			"RUNNING a:RUNNING", 2},
		{"killed from outside too soon after", []acsproto.Container{restarting("a", "app", 60)}, 2 * time.Minute, func(w *world) {
			w.engine.Exit(w.name("a"), 137)
			time.Sleep(59 * time.Second)
			w.engine.Exit(w.name("a"), 9)
		}, "STOPPED a:STOPPED(9)", 2},
		{"stopped by its task", []acsproto.Container{restarting("a", "app", 60)}, 2 * time.Minute, func(w *world) { w.control.Stop(task(1).ARN) },
			"STOPPED a:STOPPED(143)", 1},
		{"the task ends with another", []acsproto.Container{essential("a", "job"), side}, 2 * time.Minute, nil, "STOPPED a:STOPPED(0) b:STOPPED(143)", 1},
		{"removed from outside", []acsproto.Container{restarting("a", "app", 60)}, 2 * time.Minute, func(w *world) { w.engine.Vanish(w.name("a")) },
			"STOPPED a:STOPPED ContainerVanishedError: No container matching saved ID found", 1},
		{"it cannot start again", []acsproto.Container{restarting("a", "app", 60)}, 2 * time.Minute, func(w *world) {
			w.engine.Spoil(w.name("a"), fmt.Errorf("port is already allocated"))
			w.engine.Exit(w.name("a"), 1)
		}, "STOPPED a:STOPPED CannotStartContainerError: port is already allocated", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.engine.AddImage("long", longImage)
				w.start()
				defer func() { w.kill() }()
				one := task(1, c.containers...)
				w.control.Run(one)
				time.Sleep(c.after)
				synctest.Wait()
				if c.do != nil {
					c.do(w)
				}
				w.expect(one.ARN, c.want)
				if n := w.starts("a"); n != c.starts {
					t.Errorf("started %d times, want %d", n, c.starts)
				}
				for _, s := range w.control.Statuses(one.ARN) { // a restart is not told
					if s != "RUNNING" && !strings.HasPrefix(c.want, s) {
						t.Errorf("statuses %v", w.control.Statuses(one.ARN))
					}
				}
			})
		})
	}
}

// TestRestartWithoutTheAgent: a run ends while the agent, or the engine's word, is away. It is repeated once.
func TestRestartWithoutTheAgent(t *testing.T) {
	for _, c := range []struct {
		name string
		away func(w *world)
	}{
		{"agent killed", func(w *world) { w.kill(); time.Sleep(time.Minute); w.start() }},
		{"agent killed, its ledger lost", func(w *world) { w.kill(); w.ledger.Lose(); time.Sleep(time.Minute); w.start() }},
		{"engine away", func(w *world) {
			w.engine.Down(true)
			time.Sleep(time.Minute)
			w.engine.Down(false)
			time.Sleep(90 * time.Second)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.engine.AddImage("long", longImage)
				w.start()
				defer func() { w.kill() }()
				one := task(1, restarting("a", "long", 60))
				w.control.Run(one)
				time.Sleep(5*time.Minute - 30*time.Second)
				c.away(w)
				w.expect(one.ARN, "RUNNING a:RUNNING")
				if n := w.starts("a"); n != 2 {
					t.Errorf("started %d times", n)
				}
				w.control.Stop(one.ARN)
				w.expect(one.ARN, "STOPPED a:STOPPED(143)")
			})
		})
	}
}

// TestRestartsAreTold: telemetry counts the restarts of each round.
func TestRestartsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		sources := make(chan acs.Telemetry, 1)
		w.config.RunTelemetry = func(ctx context.Context, _ acs.AgentConfig, s acs.Telemetry, _ <-chan struct{}) error {
			sources <- s
			<-ctx.Done()
			return ctx.Err()
		}
		w.config.Groups = idleGroups{}
		w.start()
		defer func() { w.kill() }()
		source := <-sources
		w.control.Run(task(1, restarting("a", "job", 60), essential("b", "app")))
		var told []string
		for range 3 {
			time.Sleep(95 * time.Second)
			for _, m := range source.Metrics(time.Now()) {
				for _, c := range m.Containers {
					if c.Restarts == nil {
						told = append(told, c.Name)
						continue
					}
					told = append(told, fmt.Sprint(c.Name, " ", c.Restarts.Count))
				}
			}
		}
		if diff := cmp.Diff([]string{"a 1", "b", "a 2", "b", "a 1", "b"}, told); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
	})
}

// idleGroups are control groups whose containers use nothing.
type idleGroups struct{}

func (idleGroups) Ensure(context.Context, agent.Group) (string, error) { return "/idle", nil }
func (idleGroups) Remove(context.Context, agent.Group) error           { return nil }
func (idleGroups) Usage(agent.Group, string) (agent.Usage, error)      { return agent.Usage{}, nil }
