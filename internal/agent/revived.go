package agent

import (
	"context"
	"errors"
	"fmt"
)

// A container that has ended may be started again behind the agent's back, by docker restart or docker start. Its task has told its end and does
// not count it any more, so it is stopped again. What is known and told of it stays as it is.

// revived notes that the engine has a container of this id running, where it has ended or a step under way may find that it has. It says whether
// there is something to do now.
func (c *Container) revived(id string) bool {
	if c.ID != "" && c.ID != id || c.Phase != Ended && !c.Busy {
		return false
	}
	c.Revived = true
	return c.Phase == Ended
}

// restop stops a container that has ended, if it runs.
func (t *task) restop(ctx context.Context, name string) error {
	mark := func(revived bool) {
		t.change(name, func(_ *Record, c *Container) bool { c.Revived = revived; return false })
	}
	mark(false) // before the look: what is told from here on is news
	err := t.restopNow(ctx, name)
	if err != nil {
		mark(true)
	}
	return err
}

func (t *task) restopNow(ctx context.Context, name string) error {
	handle, ordered := t.handle(name)
	grace := graceOf(ordered)
	ctx, cancel := context.WithTimeout(ctx, lookTimeout+grace+stopOverrun)
	defer cancel()
	o, err := t.agent.Engine.Inspect(ctx, handle)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look at container %s, which may run again: %w", handle, err)
	case o.State != Running || o.Labels[labelTaskARN] != t.arn:
		return nil
	}
	t.log.Warn("a container that had stopped was started again by somebody else: it is stopped", "container", name, "id", o.ID)
	if err := t.agent.Engine.Stop(ctx, o.ID, grace); err != nil {
		return fmt.Errorf("stop container %s, which was started again: %w", o.ID, err)
	}
	return nil
}

// stray takes in the task of an event that is not known: a container of it was started behind the agent's back. If the control plane does not
// want the task, it is stopped.
func (a *Agent) stray(ctx context.Context, e Event) {
	if e.Kind != Started || a.instance(e.Labels[labelInstance]) == nil {
		return
	}
	arn := e.Labels[labelTaskARN]
	have, err := a.list(ctx)
	if err == nil && have[arn] != nil {
		err = a.adopt(ctx, have[arn])
	}
	if err != nil {
		a.Log.Error("a container of an unknown task was started, and is not adopted", "task", arn, "id", e.ID, "err", err)
	}
}
