package controller

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/capacity"
	"berth/internal/ecs"
	"berth/internal/launch"
	"berth/internal/placement"
	"berth/internal/state"
)

// kind is what makes waiting tasks equal to the pool.
type kind struct {
	definition         arn.TaskDefinition
	override           *types.TaskOverride
	size               capacity.Size
	zone, architecture string
	spot               bool
}

// queue are tasks that wait, equal ones together, in the order in which they get places.
type queue struct {
	kinds []kind
	tasks map[kind][]arn.Task // the oldest first
	seen  map[arn.Task]bool   // all of them: what comes later is for the next look
}

// waitingTasks are all that wait.
func waitingTasks(t *state.Tables) *queue {
	q := &queue{tasks: map[kind][]arn.Task{}, seen: map[arn.Task]bool{}}
	for x := range t.Tasks.Waiting() {
		k := kind{
			x.TaskDefinitionArn, x.Overrides, capacity.Size{CPUUnits: x.Reserved.CPUUnits, MemoryMiB: x.Reserved.MemoryMiB}, x.AvailabilityZone, x.CPUArchitecture,
			x.CapacityProviderName == ecs.ProviderFargateSpot,
		}
		if q.tasks[k] == nil {
			q.kinds = append(q.kinds, k)
		}
		q.tasks[k] = append(q.tasks[k], x.TaskArn)
		q.seen[x.TaskArn] = true
	}
	// Spot tasks come after those that are not, the largest first, as capacity counts them.
	slices.SortStableFunc(q.kinds, func(a, b kind) int {
		if a.spot != b.spot {
			if a.spot {
				return 1
			}
			return -1
		}
		return cmp.Compare(b.size.MemoryMiB, a.size.MemoryMiB)
	})
	return q
}

// take takes up to n tasks of the first kind off the queue, and returns those that wait still. A kind of which none is left is off the queue.
func (q *queue) take(t *state.Tables, n int) (k kind, tasks []*ecs.Task) {
	k = q.kinds[0]
	list := q.tasks[k]
	for len(list) > 0 && len(tasks) < n {
		if x := t.Tasks.Get(list[0]); x != nil && x.Waiting() && x.DesiredStatus != ecs.Stopped {
			tasks = append(tasks, x)
		}
		list = list[1:]
	}
	if q.tasks[k] = list; len(list) == 0 {
		q.drop(k)
	}
	return k, tasks
}

// drop takes what is left of a kind off the queue, if it is the first one.
func (q *queue) drop(k kind) {
	if len(q.kinds) > 0 && q.kinds[0] == k {
		q.kinds = q.kinds[1:]
	}
}

// need is what makes waiting tasks equal to package capacity.
type need struct {
	size               capacity.Size
	zone, architecture string
	spot               bool
}

// waitingNeeds are the tasks of a queue that wait still by what they need, the oldest first. Those that came since have not been looked at: no member may
// ever be able to run them.
func (q *queue) waitingNeeds(t *state.Tables) (needs []capacity.Need, tasks map[need][]*ecs.Task) {
	tasks = map[need][]*ecs.Task{}
	var order []need
	for x := range t.Tasks.Waiting() {
		if !q.seen[x.TaskArn] {
			continue
		}
		n := need{
			capacity.Size{CPUUnits: x.Reserved.CPUUnits, MemoryMiB: x.Reserved.MemoryMiB}, x.AvailabilityZone, x.CPUArchitecture, x.CapacityProviderName == ecs.ProviderFargateSpot,
		}
		if tasks[n] == nil {
			order = append(order, n)
		}
		tasks[n] = append(tasks[n], x)
	}
	for _, n := range order {
		needs = append(needs, capacity.Need{Size: n.size, Zone: n.zone, Architecture: n.architecture, Spot: n.spot, Since: tasks[n][0].CreatedAt, Count: len(tasks[n])})
	}
	return needs, tasks
}

// place puts waiting tasks of a queue on members with room, as many as one Update takes. Whatever it has looked at is off the queue then: a kind that no member
// has room for leaves it as a whole.
func (q *queue) place(tx *state.Tx, now time.Time) {
	for left := budget; left > 0 && len(q.kinds) > 0; {
		k, tasks := q.take(tx.Tables, left)
		d := tx.Definitions.Get(k.definition)
		if d == nil || len(tasks) == 0 {
			q.drop(k)
			continue
		}
		r := launch.PoolRequest(d, k.override)
		r.Zone, r.Count = k.zone, len(tasks)
		placed := placement.Decide(tx.Fleet(arn.Pool), r).Placed
		for i, member := range placed {
			n := tasks[i].Clone()
			n.Place(tx.Instances.Get(member))
			tx.Put(n)
		}
		left -= len(placed)
		switch {
		case len(placed) == len(tasks):
		case len(placed) == 0 && launch.Lacking(tx.Tables, d, k.override, k.zone):
			left -= endHopeless(tx, tasks, now)
		default:
			q.drop(k)
		}
	}
}

// endHopeless stops waiting tasks that no member will ever run. To their services they have not failed: these start no others as long as it is so.
func endHopeless(tx *state.Tx, tasks []*ecs.Task, now time.Time) int {
	for _, t := range tasks {
		n := t.Clone()
		n.Stop(now, types.TaskStopCodeTaskFailedToStart, ecs.CapacityUnavailable)
		n.Counted = n.Service != ""
		tx.Put(n)
	}
	return len(tasks)
}

// decide asks package capacity and writes down what it says. What is to be launched and terminated is then asked of the provider.
func (c *Pool) decide(tx *state.Tx, q *queue, now time.Time) capacity.Plan {
	needs, tasks := q.waitingNeeds(tx.Tables)
	v := capacity.View{Rules: c.Rules, Members: c.members(tx, now), Needs: needs}
	if c.Provider == nil {
		v.Rules.Zones = nil // nothing can be launched anywhere
	}
	pool := tx.Pool()
	for i := range pool.Zones {
		if z := &pool.Zones[i]; z.Failures > 0 {
			v.Launches = append(v.Launches, launches(z, z.Zone, z.Architecture))
		}
	}
	plan := capacity.Decide(v, now)
	c.launchAll(tx, plan.Launch, now)
	for _, id := range plan.Terminate {
		leave(tx, tx.PoolMembers.Get(id), now)
	}
	for _, r := range plan.Reclaim {
		reclaim(tx, r, now)
	}
	end := c.unavailable(tx, plan, now)
	if plan.Again.IsZero() || !end.IsZero() && end.Before(plan.Again) {
		plan.Again = end
	}
	endUnserved(tx, plan, tasks, now)
	return plan
}

// launchAll makes the records of members to launch.
func (c *Pool) launchAll(tx *state.Tx, list []capacity.Launch, now time.Time) {
	for _, l := range list {
		for range l.Count {
			tx.Put(&ecs.PoolMember{
				ID: "m-" + strings.ToLower(rand.Text()[:16]), Zone: l.Zone, Architecture: l.Architecture, CPUUnits: l.Size.CPUUnits, MemoryMiB: l.Size.MemoryMiB, LaunchedAt: now,
			})
		}
	}
}

// leave takes a member out of the pool. One that has tasks stays.
func leave(tx *state.Tx, m *ecs.PoolMember, now time.Time) {
	if m == nil || m.Leaving {
		return
	}
	if i := tx.Instances.Get(m.Instance); i != nil && i.Status != ecs.Inactive {
		if tx.Tasks.Usage(i.ContainerInstanceArn).Tasks > 0 {
			return
		}
		tx.Put(i.Deregister(now))
	}
	n := *m
	n.Leaving = true
	tx.Put(&n)
}

// reclaim interrupts Spot tasks of a member, the youngest first, until as much as is asked for is on its way to be free.
func reclaim(tx *state.Tx, r capacity.Reclaim, now time.Time) {
	m := tx.PoolMembers.Get(r.Member)
	if m == nil {
		return
	}
	var spot []*ecs.Task
	for t := range tx.Tasks.OnInstance(m.Instance) {
		if t.CapacityProviderName == ecs.ProviderFargateSpot && t.DesiredStatus != ecs.Stopped {
			spot = append(spot, t)
		}
	}
	slices.SortFunc(spot, func(a, b *ecs.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	left := r.Size
	for _, t := range spot {
		if left.CPUUnits <= 0 && left.MemoryMiB <= 0 {
			return
		}
		n := t.Clone()
		n.Interrupt(now)
		tx.Put(n)
		left.CPUUnits -= t.Reserved.CPUUnits
		left.MemoryMiB -= t.Reserved.MemoryMiB
	}
}

// unavailable records where there is no capacity to be had, and returns when to look again whether that is still so.
func (c *Pool) unavailable(tx *state.Tx, plan capacity.Plan, now time.Time) (again time.Time) {
	old := tx.Pool()
	n := *old
	n.Zones = slices.Clone(old.Zones)
	for i := range n.Zones {
		z := &n.Zones[i]
		for _, l := range plan.Launches {
			if l.Zone == z.Zone && l.Architecture == z.Architecture {
				*z = zoneOf(l, z.Unavailable)
			}
		}
		end := c.pause(*z, now)
		z.Unavailable = !end.IsZero() || slices.ContainsFunc(plan.Unavailable, func(u capacity.Unavailable) bool {
			return u.Zone == z.Zone && u.Architecture == z.Architecture && lasting(u, z.Failures)
		})
		if !end.IsZero() && (again.IsZero() || end.Before(again)) {
			again = end
		}
	}
	if !slices.EqualFunc(n.Zones, old.Zones, samePoolZone) {
		tx.Put(&n)
	}
	return again
}

// pause is until when nothing is launched in a zone because launches have failed again and again, zero where that is not so: what package capacity would tell a
// task that came now.
func (c *Pool) pause(z ecs.PoolZone, now time.Time) time.Time {
	if z.Failures < 2 || c.Provider == nil {
		return time.Time{}
	}
	plan := capacity.Decide(capacity.View{
		Rules: c.Rules, Launches: []capacity.Launches{launches(&z, z.Zone, z.Architecture)},
		Needs: []capacity.Need{{Size: c.Rules.Member, Zone: z.Zone, Architecture: z.Architecture, Since: now, Count: 1}},
	}, now)
	if len(plan.Unavailable) == 0 || plan.Unavailable[0].Reason != capacity.Failing {
		return time.Time{}
	}
	return plan.Again
}

// endUnserved ends tasks of their own that wait for capacity that is not to be had: those of services wait on.
func endUnserved(tx *state.Tx, plan capacity.Plan, tasks map[need][]*ecs.Task, now time.Time) {
	left := budget
	for _, u := range plan.Unavailable {
		if z := tx.Pool().In(u.Zone, u.Architecture); z == nil || lasting(u, z.Failures) {
			left = endWaiting(tx, tasks[need{u.Size, u.Zone, u.Architecture, u.Spot}], min(left, u.Count), left, now)
		}
	}
}

// lasting tells what cannot be had from a launch that failed once, which may be a mishap.
func lasting(u capacity.Unavailable, failures int) bool {
	return u.Reason != capacity.Failing || failures > 1
}

// endWaiting stops up to n tasks that no service has, the youngest first, and returns what is left of the budget.
func endWaiting(tx *state.Tx, tasks []*ecs.Task, n, left int, now time.Time) int {
	for i := len(tasks) - 1; i >= 0 && n > 0; i-- {
		t := tx.Tasks.Get(tasks[i].TaskArn)
		if t == nil || !t.Waiting() || t.Service != "" {
			continue
		}
		x := t.Clone()
		x.Stop(now, types.TaskStopCodeTaskFailedToStart, ecs.CapacityUnavailable)
		tx.Put(x)
		n--
		left--
	}
	return left
}

func samePoolZone(a, b ecs.PoolZone) bool {
	return a.Zone == b.Zone && a.Architecture == b.Architecture && a.Failures == b.Failures && a.Reason == b.Reason && a.Unavailable == b.Unavailable
}

// launches is a zone as package capacity has it; z is nil of one that is not known.
func launches(z *ecs.PoolZone, zone, architecture string) capacity.Launches {
	l := capacity.Launches{Zone: zone, Architecture: architecture}
	if z != nil {
		l.Failures, l.Reason = z.Failures, z.Reason
		if z.LastFailure != nil {
			l.LastFailure = *z.LastFailure
		}
	}
	return l
}

func zoneOf(l capacity.Launches, unavailable bool) ecs.PoolZone {
	z := ecs.PoolZone{Zone: l.Zone, Architecture: l.Architecture, Failures: l.Failures, Reason: l.Reason, Unavailable: unavailable}
	if l.Failures > 0 {
		at := l.LastFailure.UTC().Truncate(time.Millisecond)
		z.LastFailure = &at
	}
	return z
}
