package controller

import (
	"context"
	"fmt"
	"iter"

	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// Wanted is what an instance should be told now: tasks to start that have reported nothing yet, and tasks to stop that have not stopped.
func (c *Instances) Wanted(a arn.Instance) acs.Wanted {
	v := c.State.View()
	w := acs.Wanted{N: v.N}
	restored := RestoredAt(v.Tables)
	for t := range v.Tasks.Unsettled(a) {
		switch {
		case t.DesiredStatus == ecs.Stopped:
			w.Orders = append(w.Orders, acs.Order{Task: t.TaskArn, Stop: true, Build: func() (acsproto.Task, error) {
				return acsproto.Task{ARN: string(t.TaskArn), Cluster: string(t.TaskArn.Cluster()), DesiredStatus: "STOPPED"}, nil
			}})
		case t.CreatedAt.After(restored):
			w.Orders = append(w.Orders, acs.Order{Task: t.TaskArn, Build: func() (acsproto.Task, error) { return c.build(v, t) }})
		}
	}
	return w
}

// Manifest is all that should run on an instance, as of commit n.
func (c *Instances) Manifest(a arn.Instance) (n uint64, tasks []acsproto.ManifestTask) {
	v := c.State.View()
	tasks = []acsproto.ManifestTask{} // a list on the wire, also when it is empty
	for t := range v.Tasks.OnInstance(a) {
		if t.DesiredStatus != ecs.Stopped {
			tasks = append(tasks, acsproto.ManifestTask{Task: string(t.TaskArn), Cluster: string(t.TaskArn.Cluster()), DesiredStatus: "RUNNING"})
		}
	}
	return v.N, tasks
}

func (c *Instances) vend(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition, kind string, wanted func(id string) bool) (*acsproto.RoleCredentials, error) {
	if c.Vend == nil {
		return nil, nil
	}
	return c.Vend(t, task, d, kind, wanted)
}

// always wants all credentials.
func always(string) bool { return true }

// Credentials yields new credentials of the tasks of an instance that have roles and have not stopped. A role that cannot be assumed any more gives none: what
// the task has is good until it expires.
func (c *Instances) Credentials(a arn.Instance, wanted func(id string) bool) iter.Seq[acsproto.IAMRoleCredentials] {
	return func(yield func(acsproto.IAMRoleCredentials) bool) {
		v := c.State.View()
		for t := range v.Tasks.OnInstance(a) {
			d := v.Definitions.Get(t.TaskDefinitionArn)
			if t.Over() || d == nil {
				continue
			}
			for _, kind := range [...]string{acsproto.TaskApplication, acsproto.TaskExecution} {
				got, err := c.vend(v.Tables, t, d, kind, wanted)
				if err != nil {
					c.Log.Warn("a task's credentials are not renewed", "task", t.TaskArn, "kind", kind, "err", err)
				}
				if err != nil || got == nil {
					continue
				}
				if !yield(acsproto.IAMRoleCredentials{Task: string(t.TaskArn), TaskCluster: string(t.TaskArn.Cluster()), RoleType: kind, Credentials: *got}) {
					return
				}
			}
		}
	}
}

func (c *Instances) build(v *state.Snapshot, t *ecs.Task) (acsproto.Task, error) {
	d := v.Definitions.Get(t.TaskDefinitionArn)
	if d == nil {
		return acsproto.Task{}, fmt.Errorf("task definition %s is gone", t.TaskDefinitionArn)
	}
	d = withDigests(d, v.Revisions.Get(t.RevisionOf()))
	p, err := payloadTask(t, withLogMode(d, defaultLogMode(v.Tables, t.TaskArn)))
	if err != nil {
		return p, err
	}
	p.Interfaces = interfaces(v.Tables, t)
	if p.RoleCredentials, err = c.vend(v.Tables, t, d, acsproto.TaskApplication, always); err != nil {
		return p, err
	}
	p.ExecutionRoleCredentials, err = c.vend(v.Tables, t, d, acsproto.TaskExecution, always)
	return p, err
}

// Telemetry takes health into the tasks' records where it changed, and hands usage on.
func (c *Instances) Telemetry(ctx context.Context, a arn.Instance, m acsproto.Message) {
	var err error
	switch m := m.(type) {
	case acsproto.PublishHealth:
		err = c.health(ctx, a, m)
	case acsproto.PublishInstanceStatus:
		err = c.runtimeStatus(ctx, a, m)
	case acsproto.PublishMetrics:
		c.seen(m)
		if c.Usage != nil {
			c.Usage(a, m)
		}
	}
	if err != nil && ctx.Err() == nil {
		c.Log.Warn("telemetry not recorded", "instance", a, "type", m.Type(), "err", err)
	}
}

// health records the containers' health and derives the task's: UNHEALTHY if an essential container is, HEALTHY if all that have a check are.
func (c *Instances) health(ctx context.Context, a arn.Instance, m acsproto.PublishHealth) error {
	v := c.State.View()
	var changed []acsproto.TaskHealth
	for _, h := range m.Tasks {
		if t := v.Tasks.Get(arn.Task(h.Task)); t != nil && t.ContainerInstanceArn == a && !t.Over() && withHealth(v.Tables, t, h) != nil {
			changed = append(changed, h)
		}
	}
	for len(changed) > 0 {
		n := min(90, len(changed))
		err := c.State.Update(ctx, func(tx *state.Tx) error {
			for _, h := range changed[:n] {
				t := tx.Tasks.Get(arn.Task(h.Task))
				if t == nil || t.ContainerInstanceArn != a || t.Over() {
					continue
				}
				if nt := withHealth(tx.Tables, t, h); nt != nil {
					tx.Put(nt)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		changed = changed[n:]
	}
	return nil
}

// withHealth is t with what h says, nil if that is nothing new.
func withHealth(tables *state.Tables, t *ecs.Task, h acsproto.TaskHealth) *ecs.Task {
	n, changed := t.Clone(), false
	for _, c := range h.Containers {
		for i := range n.Containers {
			if x := &n.Containers[i]; x.Name == c.Name && string(x.HealthStatus) != c.Status && knownHealth(c.Status) {
				x.HealthStatus = ecs.Health(c.Status)
				changed = true
			}
		}
	}
	n.HealthStatus = taskHealth(tables.Definitions.Get(t.TaskDefinitionArn), n)
	if !changed && n.HealthStatus == t.HealthStatus {
		return nil
	}
	n.Version++
	return n
}

func knownHealth(s string) bool { return s == "HEALTHY" || s == "UNHEALTHY" || s == "UNKNOWN" }

// taskHealth looks at the essential containers that have a health check.
func taskHealth(d *ecs.TaskDefinition, t *ecs.Task) ecs.Health {
	if d == nil {
		return ecs.HealthUnknown
	}
	checked, healthy := 0, 0
	for i := range d.Definition.ContainerDefinitions {
		def := &d.Definition.ContainerDefinitions[i]
		if def.HealthCheck == nil || def.Essential != nil && !*def.Essential {
			continue
		}
		checked++
		for _, c := range t.Containers {
			switch {
			case c.Name != text(def.Name):
			case c.HealthStatus == ecs.HealthUnhealthy:
				return ecs.HealthUnhealthy
			case c.HealthStatus == ecs.HealthHealthy:
				healthy++
			}
		}
	}
	if checked > 0 && healthy == checked {
		return ecs.HealthHealthy
	}
	return ecs.HealthUnknown
}

// runtimeStatus records the agent's check of its container runtime when it changes.
func (c *Instances) runtimeStatus(ctx context.Context, a arn.Instance, m acsproto.PublishInstanceStatus) error {
	for _, s := range m.Statuses {
		i := c.State.View().Instances.Get(a)
		if s.Kind != "ContainerRuntime" || i == nil || i.RuntimeStatus == s.Status {
			continue
		}
		return c.State.Update(ctx, func(tx *state.Tx) error {
			i := tx.Instances.Get(a)
			if i == nil {
				return nil
			}
			n, now := *i, stamp()
			n.RuntimeStatus, n.RuntimeStatusAt = s.Status, &now
			n.Version++
			tx.Put(&n)
			return nil
		})
	}
	return nil
}
