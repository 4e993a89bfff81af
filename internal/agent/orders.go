package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/internal/acsproto"
)

// orders does what an instance's session says. It implements acs.Orders.
type orders struct{ *instance }

// Payload takes the tasks of a payload: those to stop first, then those to run. The tasks are in the ledger when it returns. A task that
// cannot be read is reported STOPPED, and makes the payload fail: it is not acked.
func (o *orders) Payload(ctx context.Context, p acsproto.Payload) error {
	o.mu.Lock()
	o.seen = max(o.seen, p.SeqNum, p.Timeline)
	o.mu.Unlock()
	var fresh []*Record
	var wrong []error
	taken := map[string]bool{}
	for _, stop := range []bool{true, false} {
		for _, t := range p.Tasks {
			if (t.DesiredStatus == "STOPPED") != stop || taken[t.ARN] {
				continue
			}
			taken[t.ARN] = true
			if !stop {
				o.agent.roster.add(o.Name, t.ARN)
			}
			r, err := o.take(t, stop)
			if err != nil {
				wrong = append(wrong, fmt.Errorf("task %s: %w", t.ARN, err))
			}
			if r != nil {
				fresh = append(fresh, r)
			}
		}
	}
	if len(fresh) > 0 {
		if err := o.agent.add(ctx, o.instance, fresh); err != nil {
			return err
		}
	}
	return errors.Join(wrong...)
}

// take does what one task of a payload says. It returns the record of a task that is to be added.
func (o *orders) take(t acsproto.Task, stop bool) (*Record, error) {
	known := o.agent.task(t.ARN)
	switch {
	case known != nil && known.in != o.instance:
		return nil, fmt.Errorf("it is on instance %s", known.in.Name)
	case known != nil && stop:
		known.stop(false)
		return nil, nil
	case stop:
		return refused(t.ARN, o.Name, unknownTask, time.Now()), nil
	case t.DesiredStatus != "RUNNING":
		err := fmt.Errorf("desired status %q", t.DesiredStatus)
		return o.unreadable(known, t.ARN, err), err
	}
	r, err := accept(t, o.Name)
	if err == nil && r.networked() && !o.agent.abilities().awsvpc() {
		err = fmt.Errorf("network mode %q is not served by this agent", r.Network)
	}
	if err == nil && sharesNamespaces(t) && o.agent.Pause == nil {
		err = fmt.Errorf("pidMode %q and ipcMode %q are not served by this agent", t.PidMode, t.IpcMode)
	}
	if err == nil && routerOf(t) != nil && o.agent.Routers == nil {
		err = fmt.Errorf("log routers are not served by this agent")
	}
	if err != nil {
		return o.unreadable(known, t.ARN, err), err
	}
	if known == nil {
		return r, nil
	}
	known.vend(acsproto.TaskApplication, t.RoleCredentials)
	known.vend(acsproto.TaskExecution, t.ExecutionRoleCredentials)
	known.completed(r)
	return nil, nil
}

// unreadable is the record of a task that cannot be read, nil if the task is known already.
func (o *orders) unreadable(known *task, arn string, err error) *Record {
	if known != nil || arn == "" {
		return nil
	}
	return refused(arn, o.Name, unreadable(err), time.Now())
}

// completed gives an adopted task its whole order. Any other task knows it.
func (t *task) completed(r *Record) {
	t.mu.Lock()
	if t.rec.Adopted {
		t.rec.complete(r)
		t.dirty = true
	}
	t.mu.Unlock()
	t.poke()
}

// Manifest finds the tasks that should not be here. One that is older than anything seen is discarded.
func (o *orders) Manifest(ctx context.Context, m acsproto.TaskManifest) ([]acsproto.ManifestTask, error) {
	o.mu.Lock()
	newest := max(o.seen, o.identity.Timeline)
	o.mu.Unlock()
	if m.Timeline <= newest {
		return nil, fmt.Errorf("timeline %d is not after %d", m.Timeline, newest)
	}
	if err := o.keep(ctx, func(id *identity) { id.Timeline = m.Timeline }); err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.manifest = true
	o.mu.Unlock()
	listed := map[string]bool{}
	for _, t := range m.Tasks {
		if t.DesiredStatus == "RUNNING" {
			listed[t.Task] = true
		}
	}
	o.agent.roster.replace(o.Name, listed)
	var stop []acsproto.ManifestTask
	for _, t := range o.tasks() {
		t.view(func(r *Record) {
			if !r.Stop && r.ExecutionStoppedAt.IsZero() && !listed[t.arn] {
				stop = append(stop, acsproto.ManifestTask{Task: t.arn, Cluster: r.Task.Cluster, DesiredStatus: "STOPPED"})
			}
		})
	}
	return stop, nil
}

// StopVerified stops tasks that the control plane does not want here.
func (o *orders) StopVerified(_ context.Context, tasks []acsproto.ManifestTask) {
	for _, m := range tasks {
		if t := o.agent.task(m.Task); t != nil && t.in == o.instance {
			t.stop(false)
		}
	}
}

// Credentials takes new credentials of a task.
func (o *orders) Credentials(_ context.Context, c acsproto.IAMRoleCredentials) bool {
	t := o.agent.task(c.Task)
	if t == nil || t.in != o.instance {
		return false
	}
	t.vend(c.RoleType, &c.Credentials)
	return true
}

// Heartbeat comes some time after the manifest and the payloads that follow it: what of adopted tasks has not been ordered again by
// then, and is not in the engine, is gone.
func (o *orders) Heartbeat(context.Context) {
	o.mu.Lock()
	told := o.manifest
	o.mu.Unlock()
	if !told {
		return
	}
	for _, t := range o.tasks() {
		t.mu.Lock()
		gone := t.rec.vanished(time.Now())
		t.dirty = t.dirty || gone
		t.mu.Unlock()
		if gone {
			t.poke()
		}
	}
}
