package controller

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"berth/internal/arn"
	"berth/internal/capacity"
	"berth/internal/ecs"
	"berth/internal/provider"
	"berth/internal/reconcile"
	"berth/internal/state"
)

// Pool keeps Fargate's hidden pool: it puts tasks that wait on members with room, has members launched and terminated as package capacity decides, and says where
// there is no capacity to be had.
type Pool struct {
	State *state.Store
	// Provider launches members. nil: the pool is what has joined by itself, and does not grow.
	Provider provider.Provider
	Rules    capacity.Rules
	// Token makes a token with which one member joins the pool.
	Token func(ctx context.Context) (string, error)
	Log   *slog.Logger
	// Observe is told of every look, for the metrics. nil tells nobody.
	Observe func(loop string, took time.Duration, err error)

	loop reconcile.Loop[string]
	wg   sync.WaitGroup

	mu    sync.Mutex
	calls map[string]*call // by member
}

// call is what the provider is being asked for a member. A launch stays when it is over, so that it is asked for once.
type call struct {
	terminate bool
	over      bool
	cancel    context.CancelFunc
}

// poolKey is the one key of the loop.
const poolKey = "pool"

// poolEvery is the least time between two looks.
const poolEvery = 50 * time.Millisecond

// Run serves until ctx ends, which is while this replica leads.
func (c *Pool) Run(ctx context.Context) error {
	c.mu.Lock()
	c.calls = map[string]*call{}
	c.mu.Unlock()
	defer c.wg.Wait()
	c.loop.Name, c.loop.Log, c.loop.Reconcile, c.loop.Observe = "pool", c.Log, c.reconcile, c.Observe
	c.loop.Every, c.loop.Workers = poolEvery, 1
	return work(ctx, &c.loop, c.State, func(*state.Snapshot) { c.loop.Add(poolKey) }, c.changed)
}

// changed asks for a look where a change concerns the pool: tasks that wait or have left a member, members, and what the provider was asked.
func (c *Pool) changed(_ *state.Snapshot, ch state.Change) {
	switch r := ch.Record().(type) {
	case *ecs.Task:
		old, _ := ch.Old.(*ecs.Task)
		if r.Fargate() && (ch.New == nil || r.Waiting() || r.Over() || old != nil && old.Waiting()) {
			c.loop.Add(poolKey)
		}
	case *ecs.Instance:
		if r.ContainerInstanceArn.Cluster() == arn.Pool {
			c.loop.Add(poolKey)
		}
	case *ecs.PoolMember:
		c.loop.Add(poolKey)
	}
}

// reconcile looks at the pool.
func (c *Pool) reconcile(ctx context.Context, _ string) (time.Time, error) {
	if err := c.ensure(ctx); err != nil {
		return time.Time{}, err
	}
	q := waitingTasks(c.State.View().Tables)
	for len(q.kinds) > 0 {
		err := c.State.Update(ctx, func(tx *state.Tx) error {
			q.place(tx, stamp())
			return nil
		})
		if err != nil {
			return time.Time{}, err
		}
	}
	var plan capacity.Plan
	err := c.State.Update(ctx, func(tx *state.Tx) error {
		plan = c.decide(tx, q, stamp())
		return nil
	})
	if err != nil {
		return time.Time{}, err
	}
	if !plan.Empty() {
		c.Log.Info("pool", "plan", plan.String())
	}
	return plan.Again, c.ask(ctx)
}

// ensure makes the records of the pool where there are none, and keeps what they say of the provider.
func (c *Pool) ensure(ctx context.Context) error {
	v := c.State.View()
	if p := v.Pool(); p != nil && p.Grows == (c.Provider != nil) && c.zonesKnown(p) && v.Clusters.Get(arn.Pool) != nil {
		return nil
	}
	return c.State.Update(ctx, func(tx *state.Tx) error {
		if tx.Clusters.Get(arn.Pool) == nil {
			tx.Put(&ecs.Cluster{ClusterArn: arn.Pool, Status: ecs.Active, CreatedAt: stamp()})
		}
		n := &ecs.Pool{Grows: c.Provider != nil}
		old := tx.Pool()
		if old != nil {
			n.Unknown = old.Unknown
		}
		for _, z := range c.Rules.Zones {
			for _, a := range c.Rules.Architectures {
				zone := ecs.PoolZone{Zone: z, Architecture: a}
				if was := old.In(z, a); was != nil {
					zone = *was
				}
				n.Zones = append(n.Zones, zone)
			}
		}
		tx.Put(n)
		return nil
	})
}

func (c *Pool) zonesKnown(p *ecs.Pool) bool {
	if len(p.Zones) != len(c.Rules.Zones)*len(c.Rules.Architectures) {
		return false
	}
	for _, z := range c.Rules.Zones {
		for _, a := range c.Rules.Architectures {
			if p.In(z, a) == nil {
				return false
			}
		}
	}
	return true
}

// ask has the provider launch and terminate what the records say, each member by a goroutine of its own, one call after another. What fails is asked again at
// the next look.
func (c *Pool) ask(ctx context.Context) error {
	if c.Provider == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	live := map[string]bool{}
	for m := range c.State.View().PoolMembers.All() {
		live[m.ID] = true
		switch k := c.calls[m.ID]; {
		case k == nil && !m.Leaving && m.Instance != "": // another leader had it launched
		case k == nil || m.Leaving && k.over:
			c.begin(ctx, m)
		case m.Leaving && !k.terminate:
			k.cancel() // the termination follows
		}
	}
	for id, k := range c.calls {
		if !live[id] && k.over {
			delete(c.calls, id)
		}
	}
	return nil
}

// begin makes a call for a member. The caller holds mu.
func (c *Pool) begin(ctx context.Context, m *ecs.PoolMember) {
	k := &call{terminate: m.Leaving}
	ctx, k.cancel = context.WithCancel(ctx)
	c.calls[m.ID] = k
	c.wg.Go(func() {
		defer k.cancel()
		if k.terminate {
			c.terminate(ctx, m)
		} else {
			c.launch(ctx, m)
		}
		c.mu.Lock()
		k.over = true
		c.mu.Unlock()
		c.loop.Add(poolKey)
	})
}

// launch asks for one member. A failure is recorded, and the member goes the way of one that leaves: nobody knows how far it came.
func (c *Pool) launch(ctx context.Context, m *ecs.PoolMember) {
	token, err := c.Token(ctx)
	if err == nil {
		err = c.Provider.Launch(ctx, provider.Order{ID: m.ID, Zone: m.Zone, Architecture: m.Architecture, CPUUnits: m.CPUUnits, MemoryMiB: m.MemoryMiB, Token: provider.Secret(token)})
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	c.Log.Warn("a member of the pool was not launched", "member", m.ID, "err", err)
	why := err
	err = c.State.Update(ctx, func(tx *state.Tx) error {
		if p := tx.Pool(); p != nil {
			tx.Put(p.With(failed(p.In(m.Zone, m.Architecture), m, stamp(), why)))
		}
		if x := tx.PoolMembers.Get(m.ID); x != nil && x.Instance == "" {
			n := *x
			n.Leaving = true
			tx.Put(&n)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		c.Log.Warn("pool", "err", err)
	}
}

// failed is a zone after a failed launch.
func failed(z *ecs.PoolZone, m *ecs.PoolMember, now time.Time, why error) ecs.PoolZone {
	l := launches(z, m.Zone, m.Architecture).Fail(m.LaunchedAt, now, reason(why))
	return zoneOf(l, z != nil && z.Unavailable)
}

func reason(err error) string {
	var f *provider.Failure
	if errors.As(err, &f) {
		return f.Reason
	}
	return err.Error()
}

// terminateAgain is how long a termination that failed waits.
const terminateAgain = 10 * time.Second

// terminate asks for the end of a member, and forgets it when it is done.
func (c *Pool) terminate(ctx context.Context, m *ecs.PoolMember) {
	err := c.Provider.Terminate(ctx, m.ID)
	if err == nil {
		err = c.State.Update(ctx, func(tx *state.Tx) error { tx.Delete(m); return nil })
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	c.Log.Warn("a member of the pool was not terminated, will try again", "member", m.ID, "err", err)
	select {
	case <-ctx.Done():
	case <-time.After(terminateAgain):
	}
}
