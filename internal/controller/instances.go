package controller

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"berth/internal/access"
	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/reconcile"
	"berth/internal/secret"
	"berth/internal/state"
	"berth/internal/vpc"
)

// Instances keeps the container instances: it answers the hub (who is connected, what each should be told), tells it when that changes, and
// replaces what a lost machine ran (design D16). It is the hub's acs.Control.
type Instances struct {
	State *state.Store
	Hub   *acs.Hub
	Log   *slog.Logger
	// LostAfter is how long an instance may be without a session before it is deregistered. 0 is never.
	LostAfter time.Duration
	// Vend makes the credentials of a task's role, of either kind, if their id is wanted: nil where it is not, or the task has no such role. nil makes none at all.
	Vend func(t *state.Tables, task *ecs.Task, d *ecs.TaskDefinition, kind string, wanted func(id string) bool) (*acsproto.RoleCredentials, error)
	// Usage is told what the tasks of an instance use. nil tells nobody.
	Usage func(i arn.Instance, m acsproto.PublishMetrics)
	// Observe is told of every look at an instance, for the metrics. nil tells nobody.
	Observe func(loop string, took time.Duration, err error)

	loop reconcile.Loop[arn.Instance]

	mu          sync.Mutex
	since       time.Time                        // when this replica began to lead: before that, nobody could be connected
	proven      map[arn.Task]bool                // tasks that telemetry named since then, kept while a restore is being proven
	vpcs        map[vpc.ID]map[arn.Instance]bool // in which VPCs instances with a session have interfaces
	networkLogs map[vpc.ID]*networkLog           // what has changed of the interfaces of those VPCs, nil while changes are not followed
	gone        map[arn.Instance]time.Time       // since when instances are without a session, as this leader knows; on the monotonic clock
}

var _ acs.Control = (*Instances)(nil)

// grace is how long agents have to reconnect to a new leader before they count as disconnected.
const grace = 45 * time.Second

// Run serves until ctx ends, which is while this replica leads.
func (c *Instances) Run(ctx context.Context) error {
	c.mu.Lock()
	c.since, c.proven, c.gone = time.Now(), nil, map[arn.Instance]time.Time{}
	c.vpcs, c.networkLogs = nil, nil
	c.mu.Unlock()
	c.loop.Name, c.loop.Log, c.loop.Reconcile, c.loop.Observe = "instances", c.Log, c.reconcile, c.Observe
	return work(ctx, &c.loop, c.State, c.lookAtAll, c.changed, c.prove)
}

// Depth is how many instances wait for a look.
func (c *Instances) Depth() int { return c.loop.Depth() }

func (c *Instances) lookAtAll(v *state.Snapshot) {
	c.follow()
	for i := range v.Instances.All() {
		c.loop.Add(i.ContainerInstanceArn)
		c.Hub.Notify(i.ContainerInstanceArn)
		c.Hub.NotifyNetwork(i.ContainerInstanceArn)
	}
}

// changed turns a change into a note to the hub or a key for the loop.
func (c *Instances) changed(v *state.Snapshot, ch state.Change) {
	c.networkChanged(ch)
	switch r := ch.Record().(type) {
	case *ecs.Task:
		if concerns(ch) {
			c.Hub.Notify(r.ContainerInstanceArn)
		}
	case *ecs.Instance:
		if registered(ch) {
			c.note(r.ContainerInstanceArn, true)
		}
		c.machineChanged(v.Tables, ch)
		c.loop.Add(r.ContainerInstanceArn)
	case *secret.ManagedInstance:
		if r.ContainerInstance != "" {
			c.loop.Add(r.ContainerInstance)
		}
	}
}

// registered reports whether an instance without a session has registered, or has again: it is about to connect, and away only from now on.
func registered(ch state.Change) bool {
	if ch.New == nil {
		return false
	}
	n := ch.New.(*ecs.Instance)
	if ch.Old == nil || n.Connected || n.DisconnectedAt == nil {
		return ch.Old == nil
	}
	o := ch.Old.(*ecs.Instance)
	return o.DisconnectedAt != nil && n.DisconnectedAt.After(*o.DisconnectedAt)
}

// concerns reports whether a task's change is one that its agent must hear of: it is new, or it should stop.
func concerns(ch state.Change) bool {
	if ch.New == nil {
		return false
	}
	t := ch.New.(*ecs.Task)
	if t.ContainerInstanceArn == "" || t.Over() {
		return false
	}
	if ch.Old == nil {
		return true
	}
	old := ch.Old.(*ecs.Task)
	return old.DesiredStatus != t.DesiredStatus || old.ContainerInstanceArn != t.ContainerInstanceArn
}

// Connected makes the instance agentConnected, whoever was connected before.
func (c *Instances) Connected(ctx context.Context, h acs.Hello) (uint64, error) {
	err := c.State.Update(ctx, func(tx *state.Tx) error {
		i := tx.Instances.Get(h.Instance)
		if err := admit(tx.Tables, h); err != nil {
			return err
		}
		n := *i
		n.Connected, n.DisconnectedAt = true, nil
		n.AgentVersion, n.AgentHash, n.DockerVersion = h.AgentVersion, h.AgentHash, h.DockerVersion
		n.Version++
		tx.Put(&n)
		return nil
	})
	return c.State.View().N, err
}

// Admit refuses telemetry of an instance that would get no session.
func (c *Instances) Admit(h acs.Hello) error {
	return admit(c.State.View().Tables, h)
}

// admit refuses an instance that is not known, not any more, or of another cluster than its agent believes.
func admit(t *state.Tables, h acs.Hello) error {
	i := t.Instances.Get(h.Instance)
	switch {
	case i == nil && swept(t, h.Instance):
		return &acs.Refusal{Kind: acs.InactiveInstance, Message: "The container instance is inactive."}
	case i == nil:
		return &acs.Refusal{Kind: acs.InvalidInstance, Message: "The container instance is not known."}
	case i.Status == ecs.Inactive:
		return &acs.Refusal{Kind: acs.InactiveInstance, Message: "The container instance is inactive."}
	}
	if c := i.ContainerInstanceArn.Cluster(); h.Cluster != "" && h.Cluster != c.Name() && h.Cluster != string(c) {
		return &acs.Refusal{Kind: acs.InvalidCluster, Message: "The container instance belongs to another cluster."}
	}
	return nil
}

// swept reports whether an instance that is not known was one: its access key still names it.
func swept(t *state.Tables, a arn.Instance) bool {
	for k := range t.Credentials.All() {
		if k.Instance == a {
			return true
		}
	}
	return false
}

// Disconnected makes the instance disconnected, unless a new session came meanwhile.
func (c *Instances) Disconnected(ctx context.Context, a arn.Instance) {
	if err := c.disconnect(ctx, a); err != nil && ctx.Err() == nil {
		c.Log.Warn("instance not marked as disconnected, will try again", "instance", a, "err", err)
		c.loop.Add(a)
	}
}

func (c *Instances) disconnect(ctx context.Context, a arn.Instance) error {
	return c.State.Update(ctx, func(tx *state.Tx) error {
		i := tx.Instances.Get(a)
		if i == nil || !i.Connected || c.Hub.Has(a) {
			return nil
		}
		n, now := *i, stamp()
		n.Connected, n.DisconnectedAt = false, &now
		c.note(a, true)
		n.Version++
		tx.Put(&n)
		return nil
	})
}

// reconcile looks at one instance: whether its session is really there, and whether it is lost.
func (c *Instances) reconcile(ctx context.Context, a arn.Instance) (time.Time, error) {
	v := c.State.View()
	i := v.Instances.Get(a)
	switch {
	case i == nil:
		c.note(a, false)
		return time.Time{}, nil
	case i.Status == ecs.Inactive:
		c.note(a, false)
		c.Hub.Kick(a)
		return time.Time{}, endTasks(ctx, c.State, a)
	case i.Connected && c.Hub.Has(a):
		c.note(a, false)
		if access.Forgotten(v.Tables, i) {
			c.Hub.Kick(a) // the end of the session disconnects it
		}
		return time.Time{}, nil
	case i.Connected:
		if at := c.began().Add(grace); time.Now().Before(at) {
			return at, nil
		}
		return time.Time{}, c.disconnect(ctx, a)
	case c.LostAfter == 0:
		return time.Time{}, nil
	}
	if at := c.alone(a).Add(c.LostAfter); time.Now().Before(at) {
		return at, nil
	}
	return c.lose(ctx, a)
}

// note remembers since when an instance is without a session, or forgets it.
func (c *Instances) note(a arn.Instance, without bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !without {
		delete(c.gone, a)
	} else if c.gone != nil {
		c.gone[a] = time.Now()
	}
}

// alone is since when an instance has been without a session, as far as this leader can tell: it lost that, it registered, or it was looked at
// for the first time. What the record says of it does not count: it is
// wall-clock time, and a clock that is set forward must not cost machines their tasks.
func (c *Instances) alone(a arn.Instance) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.gone[a]
	if !ok { // this is the first look at it
		at = time.Now()
		c.gone[a] = at
	}
	return at
}

func (c *Instances) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since
}

// The bound on losses: not more than a fifth of a cluster's instances in ten minutes (but always one).
const lossWindow = 10 * time.Minute

var errTooManyLost = errors.New("too many instances of the cluster were lost lately")

// lose deregisters a lost instance. Its tasks, ended by gone, are replaced by their services.
func (c *Instances) lose(ctx context.Context, a arn.Instance) (time.Time, error) {
	now := stamp()
	err := c.State.Update(ctx, func(tx *state.Tx) error {
		i, cluster := tx.Instances.Get(a), tx.Clusters.Get(a.Cluster())
		if i == nil || cluster == nil || i.Connected || i.Status == ecs.Inactive {
			return nil
		}
		k := *cluster
		k.LostInstances = nil
		for _, t := range cluster.LostInstances {
			if now.Sub(t) < lossWindow {
				k.LostInstances = append(k.LostInstances, t)
			}
		}
		if most := max(1, (tx.Cluster(a.Cluster()).Instances+len(k.LostInstances))/5); len(k.LostInstances) >= most {
			return errTooManyLost
		}
		k.LostInstances = append(k.LostInstances, now)
		tx.Put(&k)
		n := i.Deregister(now)
		n.StatusReason = "The agent had no session for " + c.LostAfter.String() + "."
		tx.Put(n)
		return nil
	})
	if errors.Is(err, errTooManyLost) {
		c.Log.Error("instance is lost but not replaced: too many of its cluster were lost within ten minutes", "instance", a)
		return now.Add(time.Minute), nil
	}
	if err != nil {
		return time.Time{}, err
	}
	c.Log.Warn("instance is lost and deregistered", "instance", a, "after", c.LostAfter)
	return time.Time{}, endTasks(ctx, c.State, a)
}

// endTasks stops the records of all tasks of an instance that is gone.
func endTasks(ctx context.Context, s *state.Store, a arn.Instance) error {
	for more := true; more; {
		err := s.Update(ctx, func(tx *state.Tx) error {
			more = false
			i := tx.Instances.Get(a)
			if i == nil || i.Status != ecs.Inactive {
				return nil
			}
			var batch []*ecs.Task
			for t := range tx.Tasks.OnInstance(a) {
				if len(batch) == 90 {
					more = true
					break
				}
				batch = append(batch, t)
			}
			now := stamp()
			for _, t := range batch {
				tx.Put(t.HostGone(i, now))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stamp is the time that goes into records: they keep milliseconds.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
