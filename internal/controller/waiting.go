package controller

import (
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// roomIn wakes the services that wait for a place in the cluster; any may wait for one in the pool.
func (c *Services) roomIn(k arn.Cluster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for of, services := range c.waiting {
		if of != k && k != arn.Pool {
			continue
		}
		for s := range services {
			c.loop.Add(s)
		}
	}
}

// tasksMoved wakes them when a task has ended, for what it held is free; and those whose constraints ask for the tasks on an instance when
// there is another one, or one that runs or should stop.
func (c *Services) tasksMoved(ch state.Change, r *ecs.Task) {
	k := r.TaskArn.Cluster()
	if r.Over() {
		c.roomIn(k)
		return
	}
	if ch.Old != nil && ch.New != nil {
		a, b := ch.Old.(*ecs.Task), ch.New.(*ecs.Task)
		if a.DesiredStatus == b.DesiredStatus && (a.LastStatus == ecs.Running) == (b.LastStatus == ecs.Running) {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, byTasks := range c.waiting[k] {
		if byTasks {
			c.loop.Add(s)
		}
	}
}

// wait remembers whether the service waits for a place after a look at it.
func (c *Services) wait(s arn.Service, o outcome) {
	k := s.Cluster()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !o.unplaced:
		delete(c.waiting[k], s)
	case c.waiting[k] == nil:
		c.waiting[k] = map[arn.Service]bool{s: o.byTasks}
	default:
		c.waiting[k][s] = o.byTasks
	}
}

// holdsLess wakes the services that wait for a place when a daemon may not hold room any more that it held: it is another one now, or is gone.
func (c *Services) holdsLess(ch state.Change) {
	old, _ := ch.Old.(*ecs.Service)
	if old == nil || !old.IsDaemon() {
		return
	}
	if new, _ := ch.New.(*ecs.Service); new == nil || new.Status != old.Status || primaryOf(new) != primaryOf(old) ||
		!sameList(new.PlacementConstraints, old.PlacementConstraints) {
		c.roomIn(old.ServiceArn.Cluster())
	}
}

// primaryOf is the id of a service's primary deployment, "" where it has none.
func primaryOf(s *ecs.Service) string {
	if p := s.Primary(); p != nil {
		return p.ID
	}
	return ""
}
