// Package controller holds the loops that make the world agree with the records, one file each: they view, decide with a pure package, and
// apply. They run on the leader only, and running twice does no harm.
package controller

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/iam"
	"berth/internal/reconcile"
	"berth/internal/state"
)

// Services keeps every service at its target status.
type Services struct {
	State *state.Store
	Log   *slog.Logger
	// Assume says whether ECS can assume a role for tasks of a cluster; its text is AWS's where it cannot. nil looks at no role.
	Assume func(t *state.Tables, c arn.Cluster, role string) error
	// MayAttach says whether ECS may make network interfaces for tasks in an account; its text is AWS's where it may not. nil: it may.
	MayAttach func(t *state.Tables, account string) error
	// Observe is told of every look at a service, and Placed of every decision where tasks go, for the metrics. nil tells nobody.
	Observe func(loop string, took time.Duration, err error)
	Placed  func(placed, refused int, took time.Duration)

	loop reconcile.Loop[arn.Service]

	mu      sync.Mutex
	waiting map[arn.Cluster]map[arn.Service]bool // services with tasks that found no place; true: for other tasks too, not only for room
	zones   map[arn.Cluster]map[string]bool      // availability zones with ACTIVE instances
	daemons map[arn.Cluster]map[arn.Service]bool // services of strategy DAEMON
	fleets  map[arn.Cluster]uint64               // changes of the fleet so far
	ahead   map[arn.Service]*ahead               // touched within closures of Update only, so by one goroutine
	scaling map[arn.Service]*scaleIn             // so is this
}

// budget is how many task records one Update touches at most: with the service and its events it stays below a batch.
const budget = 80

// Run serves until ctx ends, which is while this replica leads.
func (c *Services) Run(ctx context.Context) error {
	c.mu.Lock()
	c.daemons, c.zones = map[arn.Cluster]map[arn.Service]bool{}, map[arn.Cluster]map[string]bool{}
	c.waiting, c.fleets, c.ahead = map[arn.Cluster]map[arn.Service]bool{}, map[arn.Cluster]uint64{}, map[arn.Service]*ahead{}
	c.scaling = map[arn.Service]*scaleIn{}
	c.mu.Unlock()
	c.loop.Name, c.loop.Log, c.loop.Reconcile, c.loop.Observe = "services", c.Log, c.reconcile, c.Observe
	return work(ctx, &c.loop, c.State, c.lookAtAll, c.changed)
}

// Depth is how many services wait for a look.
func (c *Services) Depth() int { return c.loop.Depth() }

func (c *Services) lookAtAll(v *state.Snapshot) {
	for s := range v.Services.All() {
		if s.Status != ecs.Inactive {
			c.loop.Add(s.ServiceArn)
		}
	}
}

// changed asks for a look at the services that a change may concern.
func (c *Services) changed(v *state.Snapshot, ch state.Change) {
	switch r := ch.Record().(type) {
	case *ecs.Service:
		if r.Status != ecs.Inactive {
			c.loop.Add(r.ServiceArn)
		}
		c.holdsLess(ch)
	case *ecs.Task:
		if r.Service != "" && matters(ch) {
			c.loop.Add(r.Service)
		}
		c.tasksMoved(ch, r)
	case *iam.Role: // one that some wait for may be there now, or trust ECS
		for cluster := range v.Clusters.All() {
			c.roomIn(cluster.ClusterArn)
		}
	case *ecs.Pool:
		for t := range v.Tasks.Waiting() {
			if t.Service != "" {
				c.loop.Add(t.Service)
			}
		}
	case *ecs.Instance:
		c.fleetChanged(ch)
		c.zonesAppear(v, ch)
		c.daemonsOf(r.ContainerInstanceArn.Cluster())
		c.roomIn(r.ContainerInstanceArn.Cluster())
		if r.Status == ecs.Draining {
			for t := range v.Tasks.OnInstance(r.ContainerInstanceArn) {
				if t.Service != "" {
					c.loop.Add(t.Service)
				}
			}
		}
	}
}

// matters reports whether a task's change changes what its service needs.
func matters(ch state.Change) bool {
	if ch.Old == nil || ch.New == nil {
		return true
	}
	a, b := ch.Old.(*ecs.Task), ch.New.(*ecs.Task)
	return a.LastStatus != b.LastStatus || a.DesiredStatus != b.DesiredStatus || a.Healthy() != b.Healthy() || a.HealthStatus != b.HealthStatus ||
		a.ProtectedUntil != b.ProtectedUntil // copies share it
}

// rounds bounds how many Updates one look makes (1,000 actions); what is left comes with the next look. Several may wait for their commits at once.
const (
	rounds   = 12
	inFlight = 3
)

// reconcile decides and applies in one closure, so that a decision is never about an old picture. Where there is more to do, the next closure
// runs as soon as this one has, and not only when it is durable.
func (c *Services) reconcile(ctx context.Context, a arn.Service) (time.Time, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	var last outcome
	for range rounds {
		ran, ended := make(chan outcome, 1), make(chan struct{})
		g.Go(func() error {
			defer close(ended) // ran stays open: a closure may still run after its Update was given up
			return c.State.Update(gctx, func(tx *state.Tx) error {
				ran <- c.serve(tx, a, stamp())
				return nil
			})
		})
		select {
		case last = <-ran:
		case <-ended:
			select {
			case last = <-ran:
			default:
				return time.Time{}, g.Wait()
			}
		}
		c.wait(a, last)
		if !last.more {
			break
		}
	}
	if err := g.Wait(); err != nil {
		return time.Time{}, err
	}
	if last.more {
		return time.Now(), nil
	}
	return last.again, nil
}

// outcome is what a look at a service led to.
type outcome struct {
	more     bool // there is more to do at once
	unplaced bool // a task found no place
	byTasks  bool // whether it finds one may depend on other tasks
	again    time.Time
}

// serve decides what the service needs and writes it.
func (c *Services) serve(tx *state.Tx, a arn.Service, now time.Time) outcome {
	s := tx.Services.Get(a)
	if s == nil || s.Status == ecs.Inactive {
		c.noteDaemon(a, false)
		return outcome{}
	}
	v, g := view(tx.Tables, s), (*ground)(nil)
	v.ScaleIn = func(id string, n int) taskSeq { return c.scalingIn(tx.Tables, s, id, n, now) }
	if c.noteDaemon(a, s.IsDaemon()); s.IsDaemon() && s.Status == ecs.Active {
		g = survey(tx.Tables, s)
		v.Daemon = &g.Daemon
	}
	plan := deployment.Decide(v, now)
	w := &writer{services: c, tx: tx, was: s, service: s, now: now}
	if plan.Service != nil {
		w.service = plan.Service
	}
	for _, t := range plan.Counted {
		n := *tx.Tasks.Get(t)
		n.Counted = true
		tx.Put(&n)
	}
	for _, stop := range plan.Stop {
		n := tx.Tasks.Get(stop.Task).Clone()
		if n.Stop(now, deployment.StopCode, stop.Reason) {
			tx.Put(n)
		}
	}
	out := outcome{more: plan.More, again: plan.Again}
	if s.IsExternal() { // how many tasks a task set should have is said before they start
		w.sayAll(plan.Events)
		plan.Events = nil
	}
	switch {
	case g != nil:
		w.startOn(plan.On)
		out.unplaced = w.sayNoRoom(g)
	case plan.Start > 0:
		out.unplaced = w.start(w.service.Primary(), plan.Start, plan.Ahead, plan.Sick)
	default:
		out.unplaced = w.startSets(plan.Sets)
	}
	if g == nil && out.unplaced {
		out.more = plan.More && len(plan.Stop) > 0 // else wait until there is room
	}
	w.sayAll(plan.Events)
	if s.PlatformVersion != "" || s.IsExternal() {
		w.sayCapacity()
	}
	if plan.Balance != nil {
		out.unplaced = w.balance(plan.Balance) || out.unplaced
	}
	w.flush()
	out.byTasks = out.unplaced && w.dependsOnTasks()
	return out
}

// view adapts the tables to what a decision looks at.
func view(t *state.Tables, s *ecs.Service) deployment.View {
	a := s.ServiceArn
	return deployment.View{
		Service: s, Budget: budget,
		Counts: func(id string) ecs.Counts { return t.Tasks.Counts(a, id) },
		Wanted: func(id string) taskSeq { return t.Tasks.Wanted(a, id) },
		Ended:  t.Tasks.Uncounted(a),
		Zones:  zonesOf(t, s),
		Leaving: func(yield func(*ecs.Task) bool) {
			for i := range t.Draining(a.Cluster()) {
				for x := range t.Tasks.OnInstance(i.ContainerInstanceArn) {
					if x.Service == a && x.DesiredStatus == ecs.Running && !yield(x) {
						return
					}
				}
			}
		},
	}
}
