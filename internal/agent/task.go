package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"berth/internal/acsproto"
)

// task brings one task to where it is wanted. Its run goroutine decides; steps and reports run beside it, at most one step for each
// container and one report at a time, and poke it when they end.
type task struct {
	agent *Agent
	in    *instance
	arn   string
	log   *slog.Logger
	wake  chan struct{} // size 1: look again

	mu        sync.Mutex // guards what follows
	rec       *Record
	dirty     bool // the ledger has not what rec has
	forgotten bool // cleaned up: run returns
	cleaning  bool
	reporting bool
	newsAt    time.Time         // when news of a pending task came up
	pauses    map[string]*pause // of containers whose last step failed; "" is the task's clean-up
	retry     pause             // of reports
	unsaved   pause             // of writes to the ledger
	abandon   map[string]func() // gives up a pull, or the wait for the interface, that is under way
	creds     map[string]vended // by role type; in memory only
	vault     vault
	files     files
	loggingIn time.Time       // when the task first tried to log in to a registry, zero once it has
	passwords []string        // that it has logged in with: none is told
	logging   map[string]bool // containers of which it is known whether their logs are sent
	logs      int             // how many are or were
	logged    int             // how many of those are sent to their end

	saving sync.Mutex // orders the writes to the ledger
	work   sync.WaitGroup
}

// vended are credentials of a task's role.
type vended = acsproto.RoleCredentials

func newTask(in *instance, r *Record) *task {
	creds := r.vended
	if r.vended = nil; creds == nil {
		creds = map[string]vended{}
	}
	return &task{agent: in.agent, in: in, arn: r.Task.ARN, rec: r, wake: make(chan struct{}, 1), pauses: map[string]*pause{},
		abandon: map[string]func(){}, creds: creds, vault: vault{lesson: newLesson()}, files: files{lesson: newLesson()}, log: in.log.With("task", r.Task.ARN)}
}

// poke makes the task look again. It never waits.
func (t *task) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run works on the task until it is cleaned up or ctx ends, and waits for all that it has begun.
func (t *task) run(ctx context.Context) {
	defer t.work.Wait()
	ctx, over := context.WithCancel(ctx)
	defer over()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake, done := t.advance(ctx)
		if done || ctx.Err() != nil {
			return
		}
		if wake.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(0, time.Until(wake)))
		}
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-timer.C:
		}
	}
}

// advance concludes, begins what can be begun, and says when to come again if nothing pokes.
func (t *task) advance(ctx context.Context) (wake time.Time, done bool) {
	now := time.Now()
	t.mu.Lock()
	if t.forgotten {
		t.mu.Unlock()
		return time.Time{}, true
	}
	t.dirty = Settle(t.rec, now) || t.dirty
	t.giveUp()
	steps, wake := Next(t.rec, t.agent.CleanUpAfter, now)
	steps, wake = t.takeSteps(steps, wake, now)
	rep, wake := t.takeReport(wake, now)
	dirty := t.dirty
	t.mu.Unlock()

	for _, s := range steps {
		t.work.Go(func() { t.do(ctx, s) })
	}
	t.followLogs(ctx)
	early := rep != nil && !rep.Ends // at once: should the write be lost, the container itself tells
	if early {
		t.work.Go(func() { t.submit(ctx, rep) })
	}
	if dirty {
		if err := t.save(ctx); err != nil {
			return t.notSaved(rep != nil && !early, wake, now, err), false
		}
	}
	if rep != nil && !early {
		t.work.Go(func() { t.submit(ctx, rep) })
	}
	return wake, false
}

// giveUp ends what a task that stops need not wait for. t.mu is held.
func (t *task) giveUp() {
	if t.rec.stopping() {
		for _, give := range t.abandon {
			give()
		}
	}
}

// abandonable is ctx for a step on a container that is given up when the task stops. over says that the step has ended.
func (t *task) abandonable(ctx context.Context, name string) (_ context.Context, over func()) {
	ctx, cancel := context.WithCancel(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.abandon[name] = cancel
	t.giveUp()
	return ctx, func() {
		cancel()
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.abandon, name)
	}
}

// takeSteps marks the containers of the steps that may be done now busy. Steps of what failed lately wait.
func (t *task) takeSteps(all []Step, wake, now time.Time) (steps []Step, _ time.Time) {
	for _, s := range all {
		if p := t.pauses[s.Container]; p != nil && !p.over(now) {
			wake = earlier(wake, p.until)
			continue
		}
		if s.Act == CleanUp {
			if t.cleaning {
				continue
			}
			t.cleaning = true
		} else {
			t.rec.container(s.Container).Busy = true
		}
		steps = append(steps, s)
	}
	return steps, wake
}

// takeReport returns the report that is to be sent now, if any.
func (t *task) takeReport(wake, now time.Time) (*Report, time.Time) {
	if t.reporting || t.rec.Orphan || t.rec.Closed {
		return nil, wake
	}
	rep := reportOf(t.rec, t.in.Cluster)
	if rep == nil || rep.Digest == t.rec.Accepted {
		return nil, wake
	}
	if *rep.Input.Status == "PENDING" {
		if t.newsAt.IsZero() {
			t.newsAt = now
		}
		if at := t.newsAt.Add(pendingNews); now.Before(at) {
			return nil, earlier(wake, at)
		}
	}
	if !t.retry.over(now) {
		return nil, earlier(wake, t.retry.until)
	}
	t.newsAt, t.reporting = time.Time{}, true
	return rep, wake
}

// notSaved plans the next attempt to write the ledger. A report that had to wait for it waits on.
func (t *task) notSaved(reportWaits bool, wake, now time.Time, err error) time.Time {
	t.log.Error("task not written down, trying again", "err", err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if reportWaits {
		t.reporting = false
	}
	t.unsaved.fail(now)
	t.retry.until = t.unsaved.until
	return earlier(wake, t.unsaved.until)
}

// save writes the record as it is now.
func (t *task) save(ctx context.Context) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	if !t.dirty || t.forgotten {
		t.mu.Unlock()
		return nil
	}
	value, err := t.rec.encode()
	t.dirty = false
	t.mu.Unlock()
	if err == nil {
		err = t.agent.Ledger.Write(ctx, map[string][]byte{taskPrefix + t.arn: value})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.dirty = true
		return err
	}
	t.unsaved.reset()
	return nil
}

// change applies f to a container and has the task look again. f says whether it changed something.
func (t *task) change(name string, f func(r *Record, c *Container) bool) {
	t.mu.Lock()
	c := t.rec.container(name)
	changed := c != nil && f(t.rec, c)
	t.dirty = t.dirty || changed
	t.mu.Unlock()
	if changed {
		t.poke()
	}
}

// view runs f on the record, which it must not keep.
func (t *task) view(f func(r *Record)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(t.rec)
}

// stop makes the desired status STOPPED.
func (t *task) stop(orphan bool) {
	t.mu.Lock()
	t.dirty = t.dirty || !t.rec.Stop || orphan != t.rec.Orphan
	t.rec.Stop, t.rec.Orphan = true, t.rec.Orphan || orphan
	t.mu.Unlock()
	t.poke()
}
