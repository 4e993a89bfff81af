package controller

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/capacity"
	"berth/internal/ecs"
	"berth/internal/provider"
	"berth/internal/provider/providertest"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const farDefinition = `{"family":"far","status":"ACTIVE","taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/far:1",
	"networkMode":"awsvpc","cpu":"1024","memory":"2048","containerDefinitions":[{"name":"main","image":"x"}]}`

// poolRules make members for four tasks of the far definition, in two zones.
func poolRules() capacity.Rules {
	return capacity.Rules{
		Member: capacity.Size{CPUUnits: 4096, MemoryMiB: 8192}, Zones: []string{"a", "b"}, Architectures: []string{"x86_64"}, IdleFor: 5 * time.Minute,
		LaunchTimeout: time.Minute, FirstBackoff: 4 * time.Second, LastBackoff: time.Minute,
	}
}

// fargate is a store with a pool over it, whose provider's members join at once.
type fargate struct {
	t          *testing.T
	s          *state.Store
	provider   *providertest.Memory
	definition *ecs.TaskDefinition
	absent     atomic.Bool // members do not join
	tasks      int

	mu       sync.Mutex
	launched map[string]bool // every member that there ever was
}

// newFargate is made within the test's bubble.
func newFargate(t *testing.T) *fargate {
	d := definition(t, farDefinition)
	f := &fargate{t: t, s: statetest.Open(t, cluster(), d), definition: d, launched: map[string]bool{}, provider: &providertest.Memory{}}
	f.provider.Launched = func(o provider.Order) {
		f.mu.Lock()
		f.launched[o.ID] = true
		f.mu.Unlock()
		if !f.absent.Load() {
			f.put(poolInstance(o, true))
		}
	}
	return f
}

// start runs a pool until the function that it returns is called, or the test ends.
func (f *fargate) start(r capacity.Rules) (stop func()) { return f.startWith(r, f.provider) }

func (f *fargate) startWith(r capacity.Rules, p provider.Provider) (stop func()) {
	f.t.Helper()
	c := &Pool{State: f.s, Provider: p, Rules: r, Token: func(context.Context) (string, error) { return "token", nil }, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
	f.t.Cleanup(stop)
	return stop
}

// poolInstance is the container instance that a member becomes.
func poolInstance(o provider.Order, connected bool) *ecs.Instance {
	now := stamp()
	i := &ecs.Instance{
		ContainerInstanceArn: arn.Pool.Instance("i-" + o.ID), Ec2InstanceID: "i-" + o.ID, Status: ecs.Active, Connected: connected, RegisteredAt: now,
		Registered: ecs.Resources{CPUUnits: o.CPUUnits, MemoryMiB: o.MemoryMiB, ENIs: 50},
		Attributes: []types.Attribute{
			{Name: new(ecs.AttributeZone), Value: &o.Zone}, {Name: new(ecs.AttributeArchitecture), Value: &o.Architecture}, {Name: new(ecs.AttributeMember), Value: &o.ID},
			{Name: new(ecs.AttributeOSType), Value: new("linux")}, {Name: new(ecs.AttributeTaskENI)}, {Name: new("com.amazonaws.ecs.capability.docker-remote-api.1.18")},
		},
	}
	if !connected {
		i.DisconnectedAt = &now
	}
	return i
}

func (f *fargate) put(records ...ecs.Record) {
	err := f.s.Update(f.t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil && f.t.Context().Err() == nil {
		f.t.Error(err)
	}
}

// wait adds n tasks that wait in a zone, and lets time pass. change makes them what a test needs.
func (f *fargate) wait(n int, zone string, change ...func(*ecs.Task)) {
	f.t.Helper()
	var records []ecs.Record
	for range n {
		t := ecs.NewTask(ecs.TaskSpec{
			Task: demo.Task(fmt.Sprintf("t%03d", f.tasks)), Definition: f.definition, Zone: zone, PlatformVersion: ecs.LinuxPlatform, Now: stamp(),
		})
		f.tasks++
		for _, do := range change {
			do(t)
		}
		records = append(records, t)
		if len(records) == budget {
			f.put(records...)
			records = nil
		}
	}
	f.put(records...)
	f.pass(time.Second)
}

func ofService(t *ecs.Task) { t.Service = demo.Service("web") }
func onSpot(t *ecs.Task)    { t.CapacityProviderName = ecs.ProviderFargateSpot }

// pass lets time pass, and what it began be done.
func (f *fargate) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// end has all tasks that should stop, or all of a pool's, reported as STOPPED.
func (f *fargate) end(all bool) {
	f.t.Helper()
	now := stamp()
	for t := range f.s.View().Tasks.All() {
		if t.Over() || t.Waiting() || !all && t.DesiredStatus != ecs.Stopped {
			continue
		}
		n := t.Clone()
		n.Stop(now, types.TaskStopCodeUserInitiated, "")
		n.Advance(ecs.Stopped)
		n.StoppedAt = &now
		f.put(n)
	}
	f.pass(time.Second)
}

// want compares what there is: tasks that wait and that have a place, members, instances, and members that the provider has.
func (f *fargate) want(waiting, placed, members, instances, provided int) {
	f.t.Helper()
	v := f.s.View()
	var w, p, m, i int
	for t := range v.Tasks.All() {
		switch {
		case t.Over():
		case t.Waiting():
			w++
		default:
			p++
		}
	}
	for range v.PoolMembers.All() {
		m++
	}
	for x := range v.Instances.Under(string(arn.Pool.Instance("")), "") {
		if x.Status != ecs.Inactive {
			i++
		}
		if u := v.Tasks.Usage(x.ContainerInstanceArn); u.Reserved.CPUUnits > x.Registered.CPUUnits {
			f.t.Errorf("%s is overbooked", x.ContainerInstanceArn)
		}
	}
	if got, want := [5]int{w, p, m, i, len(f.provided())}, [5]int{waiting, placed, members, instances, provided}; got != want {
		f.t.Errorf("waiting, placed, members, instances, provided: %v, want %v", got, want)
	}
}

// provided are the members that the provider has, also while its calls hang.
func (f *fargate) provided() (ids []string) {
	for _, id := range slices.Sorted(maps.Keys(f.launched)) {
		if _, ok := f.provider.Order(id); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// An empty pool grows for what waits, each task gets a place in its own zone, and nothing more is launched.
func TestPoolGrowsFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.start(poolRules())
		f.pass(time.Second)
		f.want(0, 0, 0, 0, 0)
		f.wait(9, "a")
		f.want(0, 9, 3, 3, 3)
		f.wait(4, "b")
		f.want(0, 13, 4, 4, 4)
		for x := range f.s.View().Tasks.All() {
			if zone := f.s.View().Instances.Get(x.ContainerInstanceArn).Zone(); zone != x.AvailabilityZone {
				t.Errorf("a task of zone %s is in %s", x.AvailabilityZone, zone)
			}
		}
		f.wait(3, "a") // there is room
		f.want(0, 16, 4, 4, 4)
	})
}

// More tasks than one Update takes.
func TestPoolTakesManyTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.start(poolRules())
		f.wait(3*budget, "a")
		f.want(0, 3*budget, 3*budget/4, 3*budget/4, 3*budget/4)
	})
}

// What is launching counts as room: also a member that has registered and has no session yet.
func TestPoolLaunchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.absent.Store(true)
		f.start(poolRules())
		f.wait(3, "a")
		f.want(3, 0, 1, 0, 1)
		f.wait(1, "a")
		f.want(4, 0, 1, 0, 1)
		for id := range f.launched {
			o, _ := f.provider.Order(id)
			f.put(poolInstance(o, false))
			f.pass(time.Second)
			f.want(4, 0, 1, 1, 1)
			f.put(poolInstance(o, true))
		}
		f.pass(time.Second)
		f.want(0, 4, 1, 1, 1)
	})
}

// A member that has had no task for the time goes; one with a task never, however long it has been there.
func TestPoolIdleMembersGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.start(poolRules())
		f.wait(8, "a")
		f.pass(time.Hour)
		f.want(0, 8, 2, 2, 2)
		f.end(true)
		f.pass(4 * time.Minute)
		f.want(0, 0, 2, 2, 2)
		f.wait(1, "a") // one of them is not idle any more
		f.pass(2 * time.Minute)
		f.want(0, 1, 1, 1, 1)
		f.end(true)
		f.pass(6 * time.Minute)
		f.want(0, 0, 0, 0, 0)
	})
}

// A member whose instance was deregistered is terminated, and what waits again gets another one.
func TestPoolLostMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.start(poolRules())
		f.wait(2, "a")
		first := f.provided()
		f.put(f.s.View().Instances.Get(arn.Pool.Instance("i-" + first[0])).Deregister(stamp()))
		for x := range f.s.View().Tasks.All() {
			f.put(x.Lost("gone", stamp()))
		}
		f.pass(time.Second)
		f.want(0, 0, 0, 0, 0)
		f.wait(2, "a")
		f.want(0, 2, 1, 1, 1)
		if _, ok := f.provider.Order(first[0]); ok {
			t.Error("the lost member is still there")
		}
	})
}

// A pool is bound by members and by what they have in all.
func TestPoolBounds(t *testing.T) {
	for name, bound := range map[string]func(*capacity.Rules){
		"members": func(r *capacity.Rules) { r.MostMembers = 2 },
		"cpu":     func(r *capacity.Rules) { r.Most.CPUUnits = 10_000 },
		"memory":  func(r *capacity.Rules) { r.Most.MemoryMiB = 20_000 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFargate(t)
				r := poolRules()
				bound(&r)
				f.start(r)
				f.wait(11, "a", ofService)
				f.want(3, 8, 2, 2, 2)
				f.end(true) // which makes room for those that wait
				f.want(0, 3, 2, 2, 2)
			})
		})
	}
}

// Leave never takes a member that has tasks, whoever asks for it.
func TestLeaveKeepsMembersWithTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.start(poolRules())
		f.wait(1, "a")
		err := f.s.Update(t.Context(), func(tx *state.Tx) error {
			for m := range tx.PoolMembers.All() {
				leave(tx, m, stamp())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		f.pass(time.Second)
		f.want(0, 1, 1, 1, 1)
	})
}

// The next leader asks for what was asked already again, under the same ids, and for nothing else.
func TestPoolLeaderChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.provider.Hold(true)
		stop := f.start(poolRules())
		f.wait(6, "a")
		f.want(6, 0, 2, 0, 0)
		stop()
		f.provider.Hold(false)
		f.absent.Store(true)
		stop = f.start(poolRules())
		f.pass(time.Second)
		f.want(6, 0, 2, 0, 2)
		stop()
		f.absent.Store(false)
		for id := range f.launched {
			o, _ := f.provider.Order(id)
			f.put(poolInstance(o, true))
		}
		f.start(poolRules())
		f.pass(time.Second)
		f.want(0, 6, 2, 2, 2)
	})
}
