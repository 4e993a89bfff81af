package state

import (
	"iter"
	"strings"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Tasks are the tasks by ARN, with what deciders ask about many of them: by service in the order in which they would be stopped, by
// container instance, and sums. Tasks of one cluster are together (Under).
type Tasks struct {
	Table[arn.Task, ecs.Task]
	byService  index[ecs.Task]
	byInstance index[ecs.Task] // not stopped: first those that an agent must hear of, or has not reported
	stopped    index[ecs.Task] // by the time they stopped
	waiting    index[ecs.Task] // for capacity, the oldest first
	counts     tally[Counts]   // by service and deployment
	groups     tally[int]      // by cluster, group and instance: tasks that should run
	usage      tally[*Usage]   // by instance
	zones      tally[int]      // by service, deployment and availability zone: tasks that should run
	lacking    tally[int]      // by service, availability zone and architecture: tasks that wait for capacity
	providers  tally[int]      // by service, deployment and capacity provider: tasks that should run
}

// Counts are the sums of a deployment's tasks.
type Counts = ecs.Counts

// Usage is what the tasks of a container instance hold of it. It is immutable.
type Usage struct {
	Reserved         ecs.Resources
	Running, Pending int
	Tasks            int // not stopped
}

func newTasks() Tasks {
	return Tasks{
		byService: newIndex(stopOrder),
		byInstance: newIndex(func(a, b *ecs.Task) bool {
			if a.ContainerInstanceArn != b.ContainerInstanceArn {
				return a.ContainerInstanceArn < b.ContainerInstanceArn
			}
			if x, y := settled(a), settled(b); x != y {
				return y
			}
			return a.TaskArn < b.TaskArn
		}),
		stopped: newIndex(func(a, b *ecs.Task) bool {
			if !a.StoppedAt.Equal(*b.StoppedAt) {
				return a.StoppedAt.Before(*b.StoppedAt)
			}
			return a.TaskArn < b.TaskArn
		}),
		waiting: newIndex(func(a, b *ecs.Task) bool {
			if !a.CreatedAt.Equal(b.CreatedAt) {
				return a.CreatedAt.Before(b.CreatedAt)
			}
			return a.TaskArn < b.TaskArn
		}),
	}
}

// settled tasks run as they should: their agent needs to be told nothing.
func settled(t *ecs.Task) bool {
	return t.DesiredStatus != ecs.Stopped && t.LastStatus.After(ecs.Pending)
}

// farFuture sorts before every real task where the youngest come first.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// class groups a service's tasks: those that should run, those whose end is not counted yet, those that are stopping, and the rest.
func class(t *ecs.Task) int {
	switch {
	case t.DesiredStatus != ecs.Stopped:
		return 0
	case t.LastStatus == ecs.Stopped && !t.Counted:
		return 1
	case t.LastStatus != ecs.Stopped:
		return 2
	}
	return 3
}

// stopOrder orders tasks by service, class and deployment, and within them as ECS stops them: what does not run yet, then what is unhealthy,
// then the rest, and the youngest first. Last are those that run under protection, or did until lately, by its end.
func stopOrder(a, b *ecs.Task) bool {
	if a.Service != b.Service {
		return a.Service < b.Service
	}
	if x, y := class(a), class(b); x != y {
		return x < y
	}
	if a.StartedBy != b.StartedBy {
		return a.StartedBy < b.StartedBy
	}
	if x, y := readiness(a), readiness(b); x != y {
		return x < y
	}
	if readiness(a) == guarded && !a.ProtectedUntil.Equal(*b.ProtectedUntil) {
		return a.ProtectedUntil.Before(*b.ProtectedUntil)
	}
	if !a.CreatedAt.Equal(b.CreatedAt) {
		return a.CreatedAt.After(b.CreatedAt)
	}
	return a.TaskArn < b.TaskArn
}

// guarded is the readiness of a task that protection keeps.
const guarded = 4

func readiness(t *ecs.Task) int {
	switch {
	case t.LastStatus != ecs.Running:
		return 0
	case t.HealthStatus == ecs.HealthUnhealthy:
		return 1
	case t.ProtectedUntil != nil:
		return guarded
	case !t.Healthy():
		return 2
	}
	return 3
}

func (t *Tasks) copy() Tasks {
	return Tasks{t.Table.copy(), t.byService.copy(), t.byInstance.copy(), t.stopped.copy(), t.waiting.copy(), t.counts.copy(), t.groups.copy(), t.usage.copy(), t.zones.copy(),
		t.lacking.copy(), t.providers.copy()}
}

func (t *Tasks) swap(key string, r *ecs.Task) *ecs.Task {
	old := t.Table.swap(key, r)
	t.byService.move(old, r, func(x *ecs.Task) bool { return x.Service != "" })
	t.byInstance.move(old, r, func(x *ecs.Task) bool { return x.ContainerInstanceArn != "" && !x.Over() })
	t.stopped.move(old, r, func(x *ecs.Task) bool { return x.StoppedAt != nil })
	t.waiting.move(old, r, (*ecs.Task).Waiting)
	t.countWaiting(old, -1)
	t.countWaiting(r, 1)
	t.count(old, -1)
	t.count(r, 1)
	t.countZone(old, r)
	return old
}

func (t *Tasks) count(x *ecs.Task, n int) {
	if x == nil || x.Over() {
		return
	}
	if x.Service != "" {
		t.counts.add(countsKey(x.Service, x.StartedBy), func(c Counts) Counts { return c.Count(x, n) })
	}
	if x.DesiredStatus != ecs.Stopped && x.CapacityProviderName != "" && x.Service != "" {
		t.providers.add(countsKey(x.Service, x.StartedBy)+"\x00"+x.CapacityProviderName, func(c int) int { return c + n })
	}
	if x.DesiredStatus != ecs.Stopped {
		t.groups.add(groupKey(x.TaskArn.Cluster(), x.Group, x.ContainerInstanceArn), func(c int) int { return c + n })
	}
	if x.ContainerInstanceArn != "" {
		t.usage.add(string(x.ContainerInstanceArn), func(u *Usage) *Usage { return u.add(x, n) })
	}
}

func (u *Usage) add(x *ecs.Task, n int) *Usage {
	if u == nil {
		u = &Usage{}
	}
	v := *u
	if n > 0 {
		v.Reserved = u.Reserved.Add(x.Reserved)
	} else {
		v.Reserved = u.Reserved.Sub(x.Reserved)
	}
	v.Tasks += n
	if x.LastStatus == ecs.Running {
		v.Running += n
	} else if !x.LastStatus.After(ecs.Running) {
		v.Pending += n
	}
	if v.Tasks == 0 {
		return nil
	}
	return &v
}

func countsKey(s arn.Service, deployment string) string { return string(s) + "\x00" + deployment }

func groupKey(c arn.Cluster, group string, i arn.Instance) string {
	return string(c) + "\x00" + group + "\x00" + string(i)
}

// Counts are the sums of one deployment of a service.
func (t *Tasks) Counts(s arn.Service, deployment string) Counts {
	return t.counts.get(countsKey(s, deployment))
}

// ServiceCounts are the sums of all deployments of a service.
func (t *Tasks) ServiceCounts(s arn.Service) (sum Counts) {
	prefix := countsKey(s, "")
	t.counts.sums.Ascend(prefix, func(k string, c Counts) bool {
		if len(k) < len(prefix) || k[:len(prefix)] != prefix {
			return false
		}
		sum = sum.Plus(c)
		return true
	})
	return sum
}

// InGroup is how many tasks of a group should run on an instance.
func (t *Tasks) InGroup(c arn.Cluster, group string, i arn.Instance) int {
	return t.groups.get(groupKey(c, group, i))
}

// FromProvider is how many tasks of a service's deployment, which should run, a capacity provider has.
func (t *Tasks) FromProvider(s arn.Service, deployment, provider string) int {
	return t.providers.get(countsKey(s, deployment) + "\x00" + provider)
}

func (t *Tasks) countWaiting(x *ecs.Task, n int) {
	if x != nil && x.Waiting() && x.Service != "" {
		t.lacking.add(string(x.Service)+"\x00"+x.AvailabilityZone+"\x00"+x.CPUArchitecture, func(c int) int { return c + n })
	}
}

// WaitingIn yields how many tasks of a service wait for capacity in each availability zone, by architecture, where there are some.
func (t *Tasks) WaitingIn(s arn.Service) iter.Seq2[[2]string, int] {
	return func(yield func([2]string, int) bool) {
		for k, n := range t.lacking.under(string(s) + "\x00") {
			zone, architecture, _ := strings.Cut(k, "\x00")
			if !yield([2]string{zone, architecture}, n) {
				return
			}
		}
	}
}

// Waiting yields the tasks that wait for capacity, the oldest first.
func (t *Tasks) Waiting() iter.Seq[*ecs.Task] {
	return t.waiting.from(&ecs.Task{}, func(*ecs.Task) bool { return true })
}

// Usage is what the tasks of an instance hold. It is never nil.
func (t *Tasks) Usage(i arn.Instance) *Usage {
	if u := t.usage.get(string(i)); u != nil {
		return u
	}
	return &Usage{}
}

// OnInstance yields the tasks of an instance that have not stopped.
func (t *Tasks) OnInstance(i arn.Instance) iter.Seq[*ecs.Task] {
	return t.byInstance.from(&ecs.Task{ContainerInstanceArn: i}, func(x *ecs.Task) bool { return x.ContainerInstanceArn == i })
}

// Unsettled yields the tasks of an instance that have not stopped and are not where they should be: those that should start and have not
// been reported, and those that should stop.
func (t *Tasks) Unsettled(i arn.Instance) iter.Seq[*ecs.Task] {
	return t.byInstance.from(&ecs.Task{ContainerInstanceArn: i}, func(x *ecs.Task) bool { return x.ContainerInstanceArn == i && !settled(x) })
}

// OfService yields every task of a service.
func (t *Tasks) OfService(s arn.Service) iter.Seq[*ecs.Task] {
	return t.byService.from(&ecs.Task{Service: s, CreatedAt: farFuture}, func(x *ecs.Task) bool { return x.Service == s })
}

// Wanted yields the tasks of a deployment that should run, in the order in which they would be stopped.
func (t *Tasks) Wanted(s arn.Service, deployment string) iter.Seq[*ecs.Task] {
	pivot := &ecs.Task{Service: s, StartedBy: deployment, LastStatus: ecs.Pending, CreatedAt: farFuture}
	return t.byService.from(pivot, func(x *ecs.Task) bool {
		return x.Service == s && class(x) == 0 && x.StartedBy == deployment
	})
}

// Stopping yields the tasks of a service that should stop and have not yet.
func (t *Tasks) Stopping(s arn.Service) iter.Seq[*ecs.Task] {
	pivot := &ecs.Task{Service: s, DesiredStatus: ecs.Stopped, LastStatus: ecs.Pending, CreatedAt: farFuture}
	return t.byService.from(pivot, func(x *ecs.Task) bool { return x.Service == s && class(x) == 2 })
}

// Uncounted yields the stopped tasks of a service whose end is not in their deployment's counters yet.
func (t *Tasks) Uncounted(s arn.Service) iter.Seq[*ecs.Task] {
	pivot := &ecs.Task{Service: s, DesiredStatus: ecs.Stopped, LastStatus: ecs.Stopped, CreatedAt: farFuture}
	return t.byService.from(pivot, func(x *ecs.Task) bool { return x.Service == s && class(x) == 1 })
}

// Stopped yields the stopped tasks, the longest stopped first.
func (t *Tasks) Stopped() iter.Seq[*ecs.Task] {
	return func(yield func(*ecs.Task) bool) { t.stopped.tree.Scan(yield) }
}

// StoppedLen is the number of stopped tasks.
func (t *Tasks) StoppedLen() int { return t.stopped.tree.Len() }
