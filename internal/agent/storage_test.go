package agent_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/arn"
)

const (
	mib = 1 << 20
	gib = 1 << 30
)

// storing is a Fargate task with 20 GiB of ephemeral storage.
func storing(n int, containers ...acsproto.Container) acsproto.Task {
	one := task(n, containers...)
	one.LaunchType, one.CPU, one.MemoryMiB, one.EphemeralStorageGiB = "FARGATE", 0.25, 512, 20
	return one
}

func idOf(t acsproto.Task) string { return arn.Task(t.ARN).ID() }

func TestEphemeralStorage(t *testing.T) {
	stopped := "Task stopped: ephemeral storage limit of 20 GiB exceeded"
	const gone = -1 // the task has stopped, and what it stored is not kept
	one := storing(1, essential("a", "app"), essential("b", "stubborn"))
	for _, c := range []struct {
		name    string
		kept    bool
		do      func(w *world, s *agenttest.Storage)
		want    string
		usedMiB int64
	}{
		{"below its limit", false, func(_ *world, s *agenttest.Storage) { s.Store(idOf(one), 20*gib-mib) }, "RUNNING a:RUNNING b:RUNNING", 20*1024 - 1},
		{"at its limit", false, func(_ *world, s *agenttest.Storage) { s.Store(idOf(one), 20*gib) }, "RUNNING a:RUNNING b:RUNNING", 20 * 1024},
		{"beyond it", false, func(_ *world, s *agenttest.Storage) { s.Store(idOf(one), 20*gib+1) },
			"STOPPED a:STOPPED(143) b:STOPPED(137) " + stopped, gone},
		{"beyond it with its images", false, func(_ *world, s *agenttest.Storage) { s.Store(idOf(one), 19*gib); s.SetImages(2 * gib) },
			"STOPPED a:STOPPED(143) b:STOPPED(137) " + stopped, gone},
		{"beyond it, which the file system keeps", true, func(_ *world, s *agenttest.Storage) { s.Store(idOf(one), 20*gib+1) }, "RUNNING a:RUNNING b:RUNNING", 20*1024 + 1},
		{"hidden", false, func(_ *world, s *agenttest.Storage) {
			s.Fail(fmt.Errorf("%w: too deep", agent.ErrUnmeasurable))
			time.Sleep(time.Minute + 5*time.Second)
			s.Fail(nil)
		},
			"STOPPED a:STOPPED(143) b:STOPPED(137) Task stopped: ephemeral storage cannot be measured: too deep", gone},
		{"not measured for a while", false, func(_ *world, s *agenttest.Storage) {
			s.Fail(errors.New("disk error"))
			time.Sleep(5 * time.Minute)
			s.Fail(nil)
			s.Store(idOf(one), gib)
		}, "RUNNING a:RUNNING b:RUNNING", 1024},
		{"stopped by its user, beyond its limit", false, func(w *world, s *agenttest.Storage) {
			w.control.Stop(one.ARN)
			synctest.Wait()
			s.Store(idOf(one), 30*gib)
		},
			"STOPPED a:STOPPED(143) b:STOPPED(137)", gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &agenttest.Storage{Kept: c.kept}
				w.config.Storage = s
				w.start()
				defer func() { w.kill() }()
				w.control.Run(one)
				time.Sleep(2 * time.Second)
				if got := s.Limits()[idOf(one)]; got != 20*gib {
					t.Errorf("the limit is %d", got)
				}
				c.do(w, s)
				time.Sleep(2 * time.Minute)
				w.expect(one.ARN, c.want)
				used, reserved, ok := w.agent.EphemeralStorage(one.ARN)
				if c.usedMiB == gone {
					if containers, err := w.engine.List(t.Context()); ok || err != nil || len(containers) > 0 {
						t.Errorf("still there: %d MiB, %v %v", used, containers, err)
					}
					return
				}
				if used != c.usedMiB || reserved != 20*1024 || !ok {
					t.Errorf("%d MiB of %d, %v; want %d of %d", used, reserved, ok, c.usedMiB, 20*1024)
				}
			})
		})
	}
}

// TestStorageIsStoppedSoon: a task that writes on is killed soon, whatever its containers' stop timeouts.
func TestStorageIsStoppedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &agenttest.Storage{}
		w.config.Storage = s
		w.start()
		defer func() { w.kill() }()
		one := storing(1, essential("a", "stubborn"))
		one.Containers[0].StopTimeout = 120
		w.control.Run(one)
		time.Sleep(time.Minute)
		s.Store(idOf(one), 21*gib) // the disk is fuller: it is looked at within a second
		time.Sleep(4 * time.Second)
		w.expect(one.ARN, "STOPPED a:STOPPED(137) Task stopped: ephemeral storage limit of 20 GiB exceeded")
	})
}

func TestStorageOfTasksThatCannotStart(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		big  bool
		want string
	}{
		{"images", nil, true, "STOPPED a:STOPPED CannotPullContainerError: no space left on device"},
		{"no bound", errors.New("operation not permitted"), false,
			"STOPPED a:STOPPED ResourceInitializationError: unable to bound the task's ephemeral storage: operation not permitted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &agenttest.Storage{}
				if c.big {
					s.SetImages(20 * gib)
				}
				s.Fail(c.err)
				w.config.Storage = s
				w.start()
				defer func() { w.kill() }()
				one := storing(1, essential("a", "app"))
				w.control.Run(one)
				time.Sleep(time.Minute)
				w.expect(one.ARN, c.want)
				for call := range w.engine.Done() {
					if strings.HasPrefix(call, "start ") {
						t.Error(call)
					}
				}
			})
		})
	}
}

// TestStorageWhileTheEngineIsAway: a start waits for the bound.
func TestStorageWhileTheEngineIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &agenttest.Storage{}
		s.Fail(fmt.Errorf("ask: %w", agent.ErrUnavailable))
		w.config.Storage = s
		w.start()
		defer func() { w.kill() }()
		one := storing(1, essential("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Minute)
		if n := w.engine.Containers(agent.Running); n != 0 {
			t.Errorf("%d containers run without a bound", n)
		}
		s.Fail(nil)
		time.Sleep(5 * time.Minute)
		w.expect(one.ARN, "RUNNING a:RUNNING")
	})
}

// TestStorageIsKnownAfterARestart, and the bound goes with the task.
func TestStorageIsKnownAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &agenttest.Storage{}
		w.config.Storage = s
		w.start()
		defer func() { w.kill() }()
		one, free := storing(1, essential("a", "app")), task(2, essential("a", "app"))
		w.control.Run(one)
		w.control.Run(free)
		s.Store(idOf(one), 5*gib)
		time.Sleep(2 * time.Minute)
		w.kill()
		w.start()
		if used, reserved, ok := w.agent.EphemeralStorage(one.ARN); used != 5*1024 || reserved != 20*1024 || !ok {
			t.Errorf("right after the restart: %d MiB of %d, %v", used, reserved, ok)
		}
		w.kill()
		w.ledger.Lose()
		w.start()
		time.Sleep(5 * time.Second)
		if used, reserved, ok := w.agent.EphemeralStorage(one.ARN); used != 5*1024 || reserved != 20*1024 || !ok {
			t.Errorf("after the ledger was lost: %d MiB of %d, %v", used, reserved, ok)
		}
		for _, arn := range []string{free.ARN, "none"} {
			if _, _, ok := w.agent.EphemeralStorage(arn); ok {
				t.Errorf("task %q has ephemeral storage", arn)
			}
		}
		if _, limited := s.Limits()[idOf(free)]; limited || s.Looks(idOf(free)) > 0 {
			t.Error("the storage of a task without a bound was looked at")
		}
		w.control.Stop(one.ARN)
		time.Sleep(2 * time.Hour)
		if left := s.Limits(); len(left) > 0 {
			t.Errorf("limits that are left: %v", left)
		}
	})
}

// TestStorageIsLookedAtSeldom: a task that stores little costs little, one near its limit is looked at each second.
func TestStorageIsLookedAtSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &agenttest.Storage{}
		w.config.Storage = s
		w.start()
		defer func() { w.kill() }()
		small, large := storing(1, essential("a", "app")), storing(2, essential("a", "app"))
		w.control.Run(small)
		w.control.Run(large)
		time.Sleep(2 * time.Second)
		s.Store(idOf(large), 20*gib-mib) // not more than half of what the small one has left
		s.Store(idOf(small), mib)
		time.Sleep(2 * time.Minute)
		before, far := s.Looks(idOf(large)), s.Looks(idOf(small))
		time.Sleep(10 * time.Minute)
		if n := s.Looks(idOf(large)) - before; n < 500 || n > 610 {
			t.Errorf("looked at the one near its limit %d times in ten minutes", n)
		}
		if n := s.Looks(idOf(small)) - far; n < 10 || n > 20 {
			t.Errorf("looked at the other one %d times in ten minutes", n)
		}
	})
}

// TestRuntimeThatTheEngineLacks ends the agent, before anything runs without the isolation that was asked for.
func TestRuntimeThatTheEngineLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.config.Instances[0].Runtime = "runsc"
		w.start()
		err := <-w.ended
		if err == nil || !strings.Contains(err.Error(), `container instance one: the engine has no runtime "runsc", only runc: add it to "runtimes"`) {
			t.Errorf("the agent ended with %v", err)
		}
		w.engine.Runtimes = []string{"runsc"}
		w.start()
		one := storing(1, essential("a", "app"))
		w.control.Run(one)
		time.Sleep(time.Second)
		w.expect(one.ARN, "RUNNING a:RUNNING")
		w.kill()
	})
}
