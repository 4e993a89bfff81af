package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/internal/acsproto"
)

// The time that the engine has for each act.
const (
	lookTimeout   = time.Minute
	createTimeout = 4 * time.Minute
	startTimeout  = 3 * time.Minute
	stopDefault   = 30 * time.Second // between SIGTERM and SIGKILL
	stopOverrun   = time.Minute      // for the engine, after the SIGKILL
)

// do does one step and records what came of it. An error means that nothing is known or nothing could be done: it is tried again.
func (t *task) do(ctx context.Context, s Step) {
	err := t.perform(ctx, s)
	now := time.Now()
	t.mu.Lock()
	if c := t.rec.container(s.Container); c != nil {
		early := c.diedEarly != nil
		t.rec.idle(c)
		t.dirty = t.dirty || early
	}
	if s.Act == CleanUp {
		t.cleaning = false
	}
	if err == nil {
		delete(t.pauses, s.Container)
	} else {
		if t.pauses[s.Container] == nil {
			t.pauses[s.Container] = &pause{}
		}
		t.pauses[s.Container].fail(now)
	}
	t.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		t.log.Warn("step failed, trying again", "step", s.Act.String(), "container", s.Container, "err", t.redacted(err.Error()))
	}
	t.poke()
}

func (t *task) perform(ctx context.Context, s Step) error {
	switch s.Act {
	case Look:
		return t.look(ctx, s.Container)
	case Pull:
		return t.pull(ctx, s.Container)
	case Create:
		return t.create(ctx, s.Container)
	case Start:
		return t.start(ctx, s.Container)
	case Halt:
		return t.halt(ctx, s.Container)
	case Restop:
		return t.restop(ctx, s.Container)
	case Attach:
		return t.attach(ctx)
	case Detach:
		return t.detach(ctx)
	case CleanUp:
		return t.cleanUp(ctx)
	}
	return fmt.Errorf("no such act: %d", s.Act)
}

// handle is what the engine knows a container by: its id, or before that its name.
func (t *task) handle(name string) (handle string, ordered acsproto.Container) {
	t.view(func(r *Record) {
		ordered = r.ordered(name)
		if handle = r.container(name).ID; handle == "" {
			handle = containerName(r.Task, name)
		}
	})
	return handle, ordered
}

func (t *task) look(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	handle, _ := t.handle(name)
	o, err := t.agent.Engine.Inspect(ctx, handle)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look at container %s: %w", handle, err)
	}
	found := &o
	if err != nil || o.Labels[labelTaskARN] != t.arn {
		found = nil
	}
	t.change(name, func(r *Record, c *Container) bool { r.observe(c, found, t.in.HostAddress, time.Now()); return true })
	return nil
}

func (t *task) pull(ctx context.Context, name string) error {
	ctx, over := t.abandonable(ctx, name)
	defer over()
	_, ordered := t.handle(name)
	if hidden(name) {
		return t.bringPause(ctx)
	}
	img, err := t.bring(ctx, ordered)
	given := false
	t.view(func(r *Record) { given = r.stopping() })
	switch {
	case errors.Is(err, errGivenUp):
		return nil
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil && !given:
		return fmt.Errorf("bring image %s: %w", ordered.Image, err)
	case err != nil && !given:
		t.fail(name, t.pullReason(ordered.Image, err))
		return nil
	case err != nil:
		return nil // Settle ends it
	}
	t.change(name, func(r *Record, c *Container) bool {
		c.Phase, c.ImageDigest = max(c.Phase, Pulled), img.Digest
		if !img.started.IsZero() && (r.PullStartedAt.IsZero() || img.started.Before(r.PullStartedAt)) {
			r.PullStartedAt = img.started
		}
		if img.stopped.After(r.PullStoppedAt) {
			r.PullStoppedAt = img.stopped
		}
		return true
	})
	return nil
}

// halt stops a container and sees what became of it.
func (t *task) halt(ctx context.Context, name string) error {
	id, ordered := t.handle(name)
	grace := t.grace(ordered)
	t.change(name, func(_ *Record, c *Container) bool { c.StopSent = true; return true })
	limited, cancel := context.WithTimeout(ctx, grace+stopOverrun)
	defer cancel()
	err := t.agent.Engine.Stop(limited, id, grace)
	if err != nil {
		t.change(name, func(_ *Record, c *Container) bool { c.Unseen = c.Phase != Ended; return true })
		return fmt.Errorf("stop container %s: %w", id, err)
	}
	o, err := t.agent.Engine.Inspect(limited, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look at stopped container %s: %w", id, err)
	}
	t.change(name, func(r *Record, c *Container) bool {
		switch {
		case err != nil:
			r.observe(c, nil, t.in.HostAddress, time.Now())
		case c.Doomed && o.State == Created:
			c.end(time.Now(), nil, "")
		default:
			r.observe(c, &o, t.in.HostAddress, time.Now())
		}
		return true
	})
	return nil
}

// graceOf is how long a container has between SIGTERM and SIGKILL.
func graceOf(c acsproto.Container) time.Duration {
	if c.StopTimeout > 0 {
		return time.Duration(c.StopTimeout) * time.Second
	}
	return stopDefault
}

// cleanUp removes what the task has left, and forgets it.
func (t *task) cleanUp(ctx context.Context) error {
	var names, volumes []string
	var g Group
	var router bool
	t.view(func(r *Record) {
		g = groupOf(r)
		for _, c := range r.Containers {
			names = append(names, containerName(r.Task, c.Name))
		}
		volumes, router = ownVolumes(r.Task), routerOf(r.Task) != nil
	})
	if err := t.logsWait(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	if err := t.releaseStorage(ctx); err != nil {
		return err
	}
	for _, n := range names {
		if err := t.agent.Engine.Remove(ctx, n); err != nil {
			return fmt.Errorf("remove container %s: %w", n, err)
		}
	}
	for _, v := range volumes {
		if err := t.agent.Engine.RemoveVolume(ctx, v); err != nil {
			return fmt.Errorf("remove volume %s: %w", v, err)
		}
	}
	if t.agent.Routers != nil && router {
		if err := t.agent.Routers.Remove(g.Task); err != nil {
			return fmt.Errorf("remove the log router's files: %w", err)
		}
	}
	if err := t.removeNames(); err != nil {
		return err
	}
	if t.agent.Groups != nil && len(names) > 0 {
		if err := t.agent.Groups.Remove(ctx, g); err != nil {
			return fmt.Errorf("remove the task's control group: %w", err)
		}
	}
	return t.forget(ctx)
}

// forget takes the task out of the ledger and of the agent's tasks.
func (t *task) forget(ctx context.Context) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	var names []string
	t.view(func(r *Record) {
		for _, c := range r.Containers {
			names = append(names, c.Name)
		}
	})
	changes := t.agent.marks.forget(t.arn, names)
	changes[taskPrefix+t.arn] = nil
	if err := t.agent.Ledger.Write(ctx, changes); err != nil {
		return err
	}
	t.mu.Lock()
	t.forgotten = true
	t.mu.Unlock()
	t.agent.drop(t)
	return nil
}

// fail ends a container that cannot run. What fails of a hidden one is told of the task.
func (t *task) fail(name, reason string) {
	reason = t.redacted(reason)
	if hidden(name) {
		t.give(reason)
	}
	t.change(name, func(_ *Record, c *Container) bool {
		if c.Phase != Ended {
			c.end(time.Now(), nil, reason)
		}
		return true
	})
}
