package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// create writes down that the container starts, creates it, and writes down its id: only then is it started.
func (t *task) create(ctx context.Context, name string) error {
	for _, prepare := range []func(context.Context, string) error{t.learnSecrets, t.learnFiles, t.provide} {
		switch err := prepare(ctx, name); {
		case errors.Is(err, errGivenUp):
			return nil
		case err != nil:
			return err
		}
	}
	if err := t.choosePorts(ctx, name); err != nil {
		t.fail(name, "CannotCreateContainerError: "+err.Error())
		return nil
	}
	spec, err := t.spec(ctx, name)
	if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	if err != nil {
		t.fail(name, "CannotCreateContainerError: "+err.Error())
		return nil
	}
	t.change(name, func(_ *Record, c *Container) bool { c.Phase = max(c.Phase, Starting); return true })
	if err := t.save(ctx); err != nil {
		return err
	}
	id, err := t.createNow(ctx, spec)
	switch {
	case err == nil:
		t.change(name, func(_ *Record, c *Container) bool { c.made(id); return true })
		return t.save(ctx)
	case errors.Is(err, ErrNameTaken):
		return t.adoptNamed(ctx, name, spec.Name, err)
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		t.change(name, func(_ *Record, c *Container) bool { c.Unseen = true; return true })
		return fmt.Errorf("create container %s: %w", spec.Name, err)
	case errors.Is(err, context.DeadlineExceeded):
		t.fail(name, timedOut("created", createTimeout))
	default:
		t.fail(name, "CannotCreateContainerError: "+err.Error())
	}
	return nil
}

func (t *task) createNow(ctx context.Context, spec Spec) (string, error) {
	release, err := t.agent.launch(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	return t.agent.Engine.Create(ctx, spec)
}

// spec makes the container's configuration, and the task's group before its first container.
func (t *task) spec(ctx context.Context, name string) (s Spec, err error) {
	at := place{Installation: t.agent.Installation, InstanceARN: t.in.knownARN(), HostAddress: t.in.HostAddress, Runtime: t.in.Runtime, Logs: t.agent.Logs != nil}
	if t.agent.Groups != nil {
		var g Group
		t.view(func(r *Record) { g = groupOf(r) })
		if at.CgroupParent, err = t.agent.Groups.Ensure(ctx, g); err != nil {
			return Spec{}, fmt.Errorf("make the task's control group: %w", err)
		}
	}
	if err := t.reach(ctx, name, &at); err != nil {
		return Spec{}, err
	}
	if err := t.writeNames(name, &at); err != nil {
		return Spec{}, err
	}
	asks := false
	t.view(func(r *Record) { asks = len(r.gpus(name)) > 0 || routerOf(r.Task) != nil })
	if asks {
		if err := t.ask(ctx, name, &at); err != nil {
			return Spec{}, err
		}
	}
	t.view(func(r *Record) {
		at.Secrets, at.Files = t.vault.values, t.files.variables
		s, err = specOf(r, r.ordered(name), at)
	})
	return s, err
}

// ask finds out what the configuration of some containers hangs on: what the engine has, and where the log router's files are, which are
// written before the router is created.
func (t *task) ask(ctx context.Context, name string, at *place) error {
	m, err := t.agent.Engine.Machine(ctx)
	if err != nil {
		return fmt.Errorf("ask the engine what it has: %w", err)
	}
	at.NVIDIA, at.OldFluentd = slices.Contains(m.Runtimes, nvidia), !serves(m, 41)
	var config []byte
	router := false
	t.view(func(r *Record) { config, router = routerConfig(r), r.ordered(name).Firelens != nil })
	if config == nil {
		return nil
	}
	id := arn.Task(t.arn).ID()
	at.Router = t.agent.Routers.Files(id)
	if !router {
		return t.findRouter(ctx, name, at)
	}
	if err := t.agent.Routers.Prepare(id, config); err != nil {
		return fmt.Errorf("write the log router's configuration: %w", err)
	}
	return nil
}

// findRouter looks for the log router's address, which has started by now, where the container logs through it on the bridge.
func (t *task) findRouter(ctx context.Context, name string, at *place) error {
	var router string
	t.view(func(r *Record) {
		if _, is, err := routedLogs(r.ordered(name)); is && err == nil && r.Network == "bridge" {
			router = routerOf(r.Task).Name
		}
	})
	if router == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	handle, _ := t.handle(router)
	o, err := t.agent.Engine.Inspect(ctx, handle)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look for the log router's address: %w", err)
	}
	at.RouterIP = o.Address
	return nil
}

// adoptNamed takes over the container that has the name already, if it is this task's.
func (t *task) adoptNamed(ctx context.Context, name, taken string, conflict error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	o, err := t.agent.Engine.Inspect(ctx, taken)
	switch {
	case err != nil:
		return fmt.Errorf("look at container %s, whose name is taken: %w", taken, err)
	case o.Labels[labelTaskARN] != t.arn || o.Labels[LabelInstallation] != t.agent.Installation:
		t.fail(name, "CannotCreateContainerError: "+conflict.Error())
		return nil
	}
	t.change(name, func(r *Record, c *Container) bool { r.observe(c, &o, t.in.HostAddress, time.Now()); return true })
	return t.save(ctx)
}

func (t *task) start(ctx context.Context, name string) error {
	switch err := t.limitStorage(ctx, name); {
	case errors.Is(err, errGivenUp):
		return nil
	case err != nil:
		return err
	}
	switch err := t.prepareLog(ctx, name); {
	case errors.Is(err, errNoLog):
		return nil
	case err != nil:
		return err
	}
	id, ordered := t.handle(name)
	err := t.startNow(ctx, id)
	switch {
	case err == nil:
		return t.started(ctx, name, id, ordered)
	case errors.Is(err, ErrNotFound):
		t.fail(name, vanishedReason)
	case errors.Is(err, ErrUnavailable) || ctx.Err() != nil:
		t.change(name, func(_ *Record, c *Container) bool { c.Unseen = true; return true })
		return fmt.Errorf("start container %s: %w", id, err)
	case errors.Is(err, context.DeadlineExceeded):
		t.change(name, func(_ *Record, c *Container) bool {
			c.Doomed, c.Reason = true, timedOut("started", startTimeout)
			return true
		})
	default:
		t.fail(name, "CannotStartContainerError: "+err.Error())
	}
	return nil
}

func (t *task) startNow(ctx context.Context, id string) error {
	release, err := t.agent.launch(ctx)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return t.agent.Engine.Start(ctx, id)
}

// started records a start. Where the engine has chosen host ports it is asked for them.
func (t *task) started(ctx context.Context, name, id string, ordered acsproto.Container) error {
	now := time.Now()
	var bindings []Binding
	var facts *Facts
	known := false
	t.view(func(r *Record) { bindings, known = staticBindings(r, ordered, t.in.HostAddress) })
	if !known {
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		o, err := t.agent.Engine.Inspect(ctx, id)
		if err != nil {
			t.change(name, func(_ *Record, c *Container) bool { c.Unseen = true; return true })
			return fmt.Errorf("look for the ports of container %s: %w", id, err)
		}
		bindings, facts = o.Bindings, o.Facts
	}
	t.change(name, func(_ *Record, c *Container) bool {
		c.Bindings, c.Facts = bindings, facts.public(ordered)
		if c.Phase < Ended {
			c.up(now)
		}
		if ordered.HealthCheckType != "" {
			c.healthIs("UNKNOWN", now)
		}
		return true
	})
	if known && t.agent.Front != nil {
		t.learnFacts(ctx, name)
	}
	return nil
}

// timedOut is the reason of an engine that took too long, in ECS's words.
func timedOut(to string, limit time.Duration) string {
	return fmt.Sprintf("DockerTimeoutError: Could not transition to %s; timed out after waiting %v", to, limit)
}
