package controller

import (
	"iter"
	"maps"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
)

// scaleIn is the order in which the tasks of a deployment stop that it has too many. One look at all its tasks makes the order for all that stop,
// of which one Update stops a part; the next ones go on with it, as with places ahead.
type scaleIn struct {
	deployment string
	until      time.Time
	tasks      []arn.Task // the first ones may have stopped by now
	all        bool       // there were no others that could stop
}

// scalingIn yields the tasks of a deployment in the order in which n of them should stop.
func (c *Services) scalingIn(t *state.Tables, s *ecs.Service, deployment string, n int, now time.Time) taskSeq {
	a := s.ServiceArn
	return func(yield func(*ecs.Task) bool) {
		o := c.scaling[a]
		if o != nil {
			for len(o.tasks) > 0 && !stoppable(t.Tasks.Get(o.tasks[0]), now) {
				o.tasks = o.tasks[1:]
			}
		}
		if o == nil || o.deployment != deployment || now.After(o.until) || len(o.tasks) < n && !o.all {
			maps.DeleteFunc(c.scaling, func(_ arn.Service, o *scaleIn) bool { return now.After(o.until) }) // also those of services that are gone
			tasks := order(t, s, deployment, n, now)
			o = &scaleIn{deployment, now.Add(aheadLife), tasks, len(tasks) < n}
			c.scaling[a] = o
		}
		for _, x := range o.tasks {
			if task := t.Tasks.Get(x); stoppable(task, now) && !yield(task) {
				return
			}
		}
	}
}

// stoppable reports whether a task works, is to go on, and may be stopped for a scale-in.
func stoppable(t *ecs.Task, now time.Time) bool {
	return t != nil && t.DesiredStatus == ecs.Running && t.Healthy() && !t.Protected(now)
}

// order looks at every task of the deployment once.
func order(t *state.Tables, s *ecs.Service, deployment string, n int, now time.Time) []arn.Task {
	var d *ecs.TaskDefinition
	if p := s.Deployment(deployment); p != nil {
		d = t.Definitions.Get(p.TaskDefinition)
	}
	if d == nil {
		return nil
	}
	r := placement.ServiceRequest(s, d)
	r.Seed = uint64(now.UnixNano())
	return placement.ScaleIn(t.Fleet(s.ServiceArn.Cluster()), r, standing(t, s, deployment, now), n)
}

func standing(t *state.Tables, s *ecs.Service, deployment string, now time.Time) iter.Seq[placement.Running] {
	return func(yield func(placement.Running) bool) {
		for x := range t.Tasks.Wanted(s.ServiceArn, deployment) {
			i := t.Instances.Get(x.ContainerInstanceArn)
			if i != nil && !yield(placement.Running{Task: x.TaskArn, Instance: i, Stays: !stoppable(x, now)}) {
				return
			}
		}
	}
}
