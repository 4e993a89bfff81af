package controller

import (
	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
)

// ground is what a look at the cluster's instances for a daemon has found.
type ground struct {
	deployment.Daemon
	closest placement.Verdict // of the instances that lack a task and have no room for it; Reason is None if there is none
	waits   bool              // for others to leave a draining instance
}

// survey looks at every instance of the cluster once.
func survey(t *state.Tables, s *ecs.Service) *ground {
	g := &ground{}
	p := s.Primary()
	if p == nil {
		return g
	}
	d := t.Definitions.Get(p.TaskDefinition)
	if d == nil {
		return g
	}
	stopping := map[arn.Instance]bool{}
	for x := range t.Tasks.Stopping(s.ServiceArn) {
		stopping[x.ContainerInstanceArn] = true
	}
	r := placement.ServiceRequest(s, d)
	r.Zones, _ = t.SubnetZones(s) // where they are gone, that is said where tasks are to start
	for room, v := range placement.Survey(t.Fleet(s.ServiceArn.Cluster()), r) {
		g.look(t, s, room, v, stopping[v.Instance])
	}
	return g
}

func (g *ground) look(t *state.Tables, s *ecs.Service, room placement.Room, v placement.Verdict, stopping bool) {
	has := room.InGroup > 0
	switch v.Reason {
	case placement.Attribute, placement.MemberOf:
		if has {
			before := len(g.Misplaced)
			g.misplaced(t, s, room.Instance)
			g.Violating = append(g.Violating, g.Misplaced[before:]...)
		}
	case placement.Inactive:
		if has && othersOn(t, room.Instance) {
			g.waits = true
		} else if has {
			g.misplaced(t, s, room.Instance)
		}
	case placement.Agent:
		if has { // it will be back, or be lost; until then it gets no task
			g.Eligible++
		}
	default:
		g.Eligible++
		switch {
		case has || stopping:
		case v.Reason == placement.None:
			g.Lacking = append(g.Lacking, v.Instance)
		case g.closest.Reason == placement.None || v.Reason > g.closest.Reason || v.Reason == g.closest.Reason && v.Short < g.closest.Short:
			g.closest = v
		}
	}
}

func (g *ground) misplaced(t *state.Tables, s *ecs.Service, i *ecs.Instance) {
	for x := range t.Tasks.OnInstance(i.ContainerInstanceArn) {
		if x.Service == s.ServiceArn && x.DesiredStatus == ecs.Running {
			g.Misplaced = append(g.Misplaced, x)
		}
	}
}

// othersOn reports whether there is a task on the instance that is no daemon's.
func othersOn(t *state.Tables, i *ecs.Instance) bool {
	for x := range t.Tasks.OnInstance(i.ContainerInstanceArn) {
		if s := t.Services.Get(x.Service); s == nil || !s.IsDaemon() {
			return true
		}
	}
	return false
}

// startOn starts a task of the primary deployment on each of the instances, which have room for it.
func (w *writer) startOn(instances []arn.Instance) {
	if len(instances) == 0 {
		return // also a service that ends, which has no deployment any more
	}
	spec, ok := w.ready(w.service.Primary())
	if !ok {
		return
	}
	var started []arn.Task
	for _, i := range instances {
		if spec.Instance = w.tx.Instances.Get(i); spec.Instance != nil {
			started = append(started, w.put(spec))
		}
	}
	if w.services.Placed != nil {
		w.services.Placed(len(started), 0, 0)
	}
	w.say(deployment.Event(w.service.ServiceArn, deployment.Started(started, 0)))
}

// sayNoRoom tells of an instance that lacks its task and has no room for it, and reports whether the service waits for tasks to end.
func (w *writer) sayNoRoom(g *ground) bool {
	if g.closest.Reason != placement.None {
		w.sayOnce("placement", placement.Plan{Refused: 1, Closest: g.closest}.ServiceEvent())
		return true
	}
	return g.waits
}

// noteDaemon remembers which services of a cluster are daemons: every change of its instances concerns them.
func (c *Services) noteDaemon(a arn.Service, is bool) {
	k := a.Cluster()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case is && c.daemons[k] == nil:
		c.daemons[k] = map[arn.Service]bool{a: true}
	case is:
		c.daemons[k][a] = true
	default:
		delete(c.daemons[k], a)
	}
}

// daemonsOf wakes a cluster's daemons, which come before those that wait for room.
func (c *Services) daemonsOf(k arn.Cluster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.daemons[k] {
		c.loop.Add(a)
	}
}
