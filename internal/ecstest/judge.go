package ecstest

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// batch is what came at once: several commits, perhaps, and a commit is several updates, whose order does not show. So what an update must
// have seen is either as it was before the batch or as it is after it.
type batch struct {
	before  map[string]ecs.Record // what changed, as it was; nil where it was not there
	placed  []*ecs.Task           // new
	stopped []*ecs.Task           // those that should not run any more
}

func (b *batch) note(c state.Change) {
	k := string(c.Record().Kind()) + " " + c.Record().Key()
	if _, seen := b.before[k]; !seen {
		b.before[k] = c.Old
	}
}

// was is a record as it was before the batch; now is what it is.
func was[R any, P interface {
	*R
	ecs.Record
}](b *batch, now P) P {
	if now == nil {
		return nil
	}
	old, changed := b.before[string(now.Kind())+" "+now.Key()]
	if !changed {
		return now
	}
	if old == nil {
		return nil
	}
	return old.(P)
}

// judge checks a batch as a whole. The caller holds mu.
func (w *watcher) judge() {
	for _, t := range w.batch.placed {
		s := w.services[t.Service]
		w.allowedThere(t, s)
		switch {
		case s == nil:
		case s.IsDaemon():
			w.alone(t)
		case s.IsExternal():
			w.setThere(t, s)
		}
	}
	for _, t := range w.batch.stopped {
		w.unprotected(t)
	}
	w.quota()
}

// alone checks that a daemon's new task is the only one of its service on its instance (I10).
func (w *watcher) alone(t *ecs.Task) {
	for _, x := range w.tasks {
		if x.Service == t.Service && x.ContainerInstanceArn == t.ContainerInstanceArn && x.TaskArn != t.TaskArn && !x.Over() {
			w.violated("I10", "daemon %s has tasks %s and %s on one instance", t.Service.Name(), t.TaskArn.ID()[:8], x.TaskArn.ID()[:8])
		}
	}
}

// unprotected checks that a service did not stop a task under protection, but for its health or because the service was deleted (I11). What
// keeps daemons from instances that do not suit them is no scale-in.
func (w *watcher) unprotected(t *ecs.Task) {
	s := w.services[t.Service]
	if t.StopCode != types.TaskStopCodeServiceSchedulerInitiated || t.ProtectedUntil == nil || !t.StoppingAt.Before(*t.ProtectedUntil) || s == nil {
		return
	}
	if strings.HasPrefix(t.StoppedReason, "Task failed") || s.Status != ecs.Active {
		return
	}
	if set := s.Deployment(t.StartedBy); s.IsExternal() && (set == nil || set.Status == ecs.Draining) {
		return
	}
	if i := w.instances[t.ContainerInstanceArn]; s.IsDaemon() && (!suits(s, i) || !suits(s, was(&w.batch, i))) {
		return
	}
	w.violated("I11", "task %s was stopped at %s and is protected until %s", t.TaskArn.ID()[:8], t.StoppingAt.Format("15:04:05"), t.ProtectedUntil.Format("15:04:05"))
}

// suits reports whether a daemon should have a task on an instance.
func suits(s *ecs.Service, i *ecs.Instance) bool {
	all := append(slices.Clone(s.PlacementConstraints), familyConstraints(s.TaskDefinition)...)
	nobody := func(string) int { return 0 } // the constraints of daemons look at attributes only
	return i != nil && i.Status == ecs.Active && allowed(all, i, "", nobody)
}

// allowedThere checks that a new task may be where it is (I12): its constraints held there, with its group's other tasks as they are now, and
// everything else as it is or as it was before the batch.
func (w *watcher) allowedThere(t *ecs.Task, s *ecs.Service) {
	i := w.instances[t.ContainerInstanceArn]
	if i == nil {
		return // I3 says so
	}
	before := was(&w.batch, s)
	for _, c := range constraintsOf(t, s) {
		one := []types.PlacementConstraint{c}
		same := func(o types.PlacementConstraint) bool { return constraintText(o) == constraintText(c) }
		if before != nil && before.Status == ecs.Active && !slices.ContainsFunc(constraintsOf(t, before), same) {
			continue // an update brought it, perhaps after the task
		}
		old := was(&w.batch, i)
		if allowed(one, i, t.Group, w.beside(t, false)) || old != nil && allowed(one, old, t.Group, w.beside(t, true)) || allowed(one, i, t.Group, w.beside(t, true)) {
			continue
		}
		w.violated("I12", "task %s of %s is on instance %s against %s", t.TaskArn.ID()[:8], t.Group, i.ContainerInstanceArn.ID()[:8], constraintText(c))
	}
}

func constraintText(c types.PlacementConstraint) string {
	if c.Expression == nil {
		return string(c.Type)
	}
	return *c.Expression
}

// beside counts the tasks on t's instance, as they are or were before the batch: those of a group that should run, or all that run. t's own
// group is counted as it is.
func (w *watcher) beside(t *ecs.Task, before bool) func(group string) int {
	return func(group string) (n int) {
		for _, x := range w.tasks {
			if x.ContainerInstanceArn != t.ContainerInstanceArn || x.TaskArn == t.TaskArn {
				continue
			}
			if before && group != t.Group {
				if x = was(&w.batch, x); x == nil {
					continue
				}
			}
			if group == "" && x.LastStatus == ecs.Running || group != "" && x.Group == group && x.DesiredStatus == ecs.Running {
				n++
			}
		}
		return n
	}
}

// quota: there are never more services than the cluster may have (I9).
func (w *watcher) quota() {
	n := 0
	for _, s := range w.services {
		if s.Status != ecs.Inactive {
			n++
		}
	}
	if n > mostServices {
		w.violated("I9", "%d services, the quota is %d", n, mostServices)
	}
}
