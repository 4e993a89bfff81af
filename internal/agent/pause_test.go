package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
)

// sharing is a task whose containers share their processes.
func sharing(n int, containers ...acsproto.Container) acsproto.Task {
	one := task(n, containers...)
	one.PidMode = "task"
	return one
}

func TestPauseContainer(t *testing.T) {
	side := acsproto.Container{Name: "a", Image: "job"}
	for _, c := range []struct {
		name string
		task acsproto.Task
		do   func(w *world)
		want string
		left int // containers that run in the end
	}{
		{"runs", sharing(1, essential("a", "app"), essential("b", "app")), func(*world) {}, "RUNNING a:RUNNING b:RUNNING", 3},
		{"is stopped", sharing(1, essential("a", "app")), func(w *world) { w.control.Stop(task(1).ARN) }, "STOPPED a:STOPPED(143)", 0},
		{"ends", sharing(1, essential("a", "job")), func(*world) { time.Sleep(time.Minute) }, "STOPPED a:STOPPED(0)", 0},
		{"ends without essential ones", sharing(1, side), func(*world) { time.Sleep(time.Minute) }, "STOPPED a:STOPPED(0)", 0},
		{"its pause container ends", sharing(1, essential("a", "app")), func(w *world) { w.engine.Exit(w.name("-internal-ecs-pause"), 1) },
			"STOPPED a:STOPPED(143)", 0},
		{"no image for it", sharing(1, essential("a", "app")), func(*world) {}, "STOPPED a:STOPPED CannotCreateContainerError: make the image of the pause container: no space", 0},
		{"the agent is killed", sharing(1, essential("a", "app")), func(w *world) { w.kill(); w.ledger.Lose(); w.start(); time.Sleep(time.Second) },
			"RUNNING a:RUNNING", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.engine.AddImage("pause", agenttest.Image{})
				w.config.Pause = func(context.Context) (string, error) {
					if strings.HasPrefix(c.name, "no image") {
						return "", errors.New("no space")
					}
					return "pause", nil
				}
				w.start()
				defer func() { w.kill() }()
				w.control.Run(c.task)
				time.Sleep(time.Second)
				synctest.Wait()
				c.do(w)
				w.expect(c.task.ARN, c.want)
				if n := w.engine.Containers(agent.Running); n != c.left {
					t.Errorf("%d containers run, want %d", n, c.left)
				}
				w.once()
				w.control.Stop(c.task.ARN)
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if n := w.engine.Containers(agent.Exited); n != 0 {
					t.Errorf("%d containers are left after the clean-up", n)
				}
			})
		})
	}
}

func TestPauseStopsLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.engine.AddImage("pause", agenttest.Image{})
		w.config.Pause = func(context.Context) (string, error) { return "pause", nil }
		w.start()
		defer func() { w.kill() }()
		one := sharing(1, essential("a", "stubborn"))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.control.Stop(one.ARN)
		time.Sleep(29 * time.Second)
		if n := w.engine.Containers(agent.Running); n != 2 {
			t.Errorf("%d containers run while the task's own is stopping, want it and the pause container", n)
		}
		time.Sleep(2 * time.Second)
		w.expect(one.ARN, "STOPPED a:STOPPED(137)")
	})
}

func TestNoPause(t *testing.T) {
	for _, one := range []acsproto.Task{{PidMode: "task"}, {IpcMode: "task"}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			defer func() { w.kill() }()
			one.ARN, one.Containers = task(1).ARN, []acsproto.Container{essential("a", "app")}
			w.control.Run(one)
			w.expect(one.ARN, fmt.Sprintf("STOPPED UnrecogniedTaskError: Error loading task - pidMode %q and ipcMode %q are not served by this agent",
				one.PidMode, one.IpcMode))
		})
	}
}
