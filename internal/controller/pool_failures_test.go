package controller

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/provider"
)

// zone is what is known of a zone: "2 no capacity now unavailable".
func (f *fargate) zone(name string) string {
	f.t.Helper()
	z := f.s.View().Pool().In(name, "x86_64")
	if z == nil {
		return "not known"
	}
	out := fmt.Sprint(z.Failures, " ", z.Reason)
	if z.Unavailable {
		out += " unavailable"
	}
	return out
}

func (f *fargate) wantZone(name, want string) {
	f.t.Helper()
	if got := f.zone(name); got != want {
		f.t.Errorf("zone %s: %q, want %q", name, got, want)
	}
}

// Launches that fail are repeated after a pause that grows, one at a time. From the second failure on tasks of their own are told that there is no capacity;
// those of a service wait on, and start when launches work again. Another zone has nothing to do with it.
func TestPoolLaunchesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.provider.Full(true)
		f.start(poolRules())
		f.wait(3, "a", ofService)
		f.wantZone("a", "1 no capacity now")
		f.want(3, 0, 0, 0, 0)
		f.wait(2, "a") // after a second; the pause is four
		f.want(5, 0, 0, 0, 0)
		f.pass(3 * time.Second)
		f.wantZone("a", "2 no capacity now unavailable")
		f.want(3, 0, 0, 0, 0)
		for x := range f.s.View().Tasks.All() {
			if x.Over() && (x.StopCode != types.TaskStopCodeTaskFailedToStart || x.StoppedReason != ecs.CapacityUnavailable || x.StoppedAt == nil || x.Service != "") {
				t.Errorf("%s: %s %q, of %q", x.TaskArn, x.StopCode, x.StoppedReason, x.Service)
			}
		}
		f.wantZone("b", "0 ")
		f.pass(3 * time.Minute) // pauses of 8, 16, 32, 60, 60 s
		f.wantZone("a", "7 no capacity now unavailable")
		f.provider.Full(false)
		f.pass(time.Minute)
		f.want(0, 3, 1, 1, 1)
		f.wantZone("a", "0 ")
	})
}

// Where nothing waits, a zone without capacity is known as such until its pause is over: then the next task may try.
func TestPoolZoneStaysUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.provider.Full(true)
		f.start(poolRules())
		f.wait(1, "a")
		f.pass(4 * time.Second)
		f.wantZone("a", "2 no capacity now unavailable")
		f.want(0, 0, 0, 0, 0)
		f.pass(6 * time.Second)
		f.wantZone("a", "2 no capacity now unavailable")
		f.pass(2 * time.Second)
		f.wantZone("a", "2 no capacity now")
		f.provider.Full(false)
		f.wait(1, "a")
		f.want(0, 1, 1, 1, 1)
		f.wantZone("a", "0 ")
	})
}

// A member that does not join in time is terminated, and counts as a launch that failed.
func TestPoolMemberDoesNotJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.absent.Store(true)
		f.start(poolRules())
		f.wait(1, "a", ofService)
		first := f.provided()[0]
		f.pass(time.Minute)
		f.want(1, 0, 0, 0, 0)
		f.wantZone("a", "1 "+first+" did not join within 1m0s")
		f.absent.Store(false)
		f.pass(4 * time.Second)
		f.want(0, 1, 1, 1, 1)
		f.wantZone("a", "0 ")
	})
}

// The instance of a member that is leaving gets no tasks, when it joins late.
func TestPoolMemberJoinsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.absent.Store(true)
		f.start(poolRules())
		f.wait(1, "a", ofService)
		o, _ := f.provider.Order(f.provided()[0])
		f.provider.Hold(true) // its termination
		f.pass(time.Minute)
		f.put(poolInstance(o, false))
		f.pass(time.Second)
		f.put(poolInstance(o, true))
		f.pass(10 * time.Second)
		for m := range f.s.View().PoolMembers.All() {
			if i := f.s.View().Instances.Get(m.Instance); m.ID == o.ID && (i == nil || i.Status != ecs.Inactive) {
				t.Errorf("%+v is %+v", m, i)
			}
		}
	})
}

// sequence is a provider that notes calls for one member that run at the same time. A launch lasts until it is given up.
type sequence struct {
	provider.Provider
	mu    sync.Mutex
	busy  map[string]bool
	twice bool
}

func (s *sequence) during(id string, do func() error) error {
	s.mu.Lock()
	s.twice = s.twice || s.busy[id]
	s.busy[id] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.busy[id] = false
		s.mu.Unlock()
	}()
	return do()
}

func (s *sequence) Launch(ctx context.Context, o provider.Order) error {
	return s.during(o.ID, func() error { <-ctx.Done(); return ctx.Err() })
}

func (s *sequence) Terminate(ctx context.Context, id string) error {
	return s.during(id, func() error { return s.Provider.Terminate(ctx, id) })
}

// A launch that takes longer than it may is given up before its member is terminated.
func TestPoolCallsFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		s := &sequence{Provider: f.provider, busy: map[string]bool{}}
		f.startWith(poolRules(), s)
		f.wait(1, "a", ofService)
		f.pass(time.Minute)
		if s.twice {
			t.Error("a member was terminated while it was being launched")
		}
		f.want(1, 0, 0, 0, 0)
		f.wantZone("a", "1 "+f.reasonOf("a"))
	})
}

func (f *fargate) reasonOf(zone string) string { return f.s.View().Pool().In(zone, "x86_64").Reason }

// Tasks of two definitions and of one size: only so many are told that there is no capacity as have no place.
func TestPoolEndsOnlyWhatHasNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		other := *f.definition
		other.Definition.TaskDefinitionArn = new("arn:aws:ecs:us-east-1:123456789012:task-definition/far:2")
		f.put(&other)
		f.absent.Store(true)
		r := poolRules()
		r.MostMembers = 1
		f.start(r)
		var records []ecs.Record
		for n := range 6 {
			d := f.definition
			if n%2 == 1 {
				d = &other
			}
			records = append(records, ecs.NewTask(ecs.TaskSpec{Task: demo.Task(fmt.Sprint("x", n)), Definition: d, Zone: "a", PlatformVersion: ecs.LinuxPlatform, Now: stamp()}))
		}
		f.put(records...)
		f.pass(time.Second)
		f.want(4, 0, 1, 0, 1)
	})
}

// Tasks on demand interrupt the youngest Spot tasks where the pool cannot grow, and no more of them than they need.
func TestPoolReclaimsFromSpot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		r := poolRules()
		r.MostMembers = 1
		f.start(r)
		f.wait(1, "a")
		f.wait(3, "a", onSpot)
		f.wait(2, "a")
		interrupted := ""
		for x := range f.s.View().Tasks.All() {
			if x.DesiredStatus != ecs.Stopped {
				continue
			}
			interrupted += x.TaskArn.ID() + " "
			if x.StopCode != types.TaskStopCodeSpotInterruption || x.StoppedReason != "Your Spot Task was interrupted." || x.CapacityProviderName != ecs.ProviderFargateSpot {
				t.Errorf("%+v", x)
			}
		}
		if interrupted == "" || len(interrupted) != len("t002 t003 ") {
			t.Errorf("interrupted: %s", interrupted)
		}
		f.want(2, 4, 1, 1, 1)
		f.end(false)
		f.want(0, 4, 1, 1, 1)
		f.wait(1, "a", onSpot) // which takes nothing from anybody
		f.want(0, 4, 1, 1, 1)
	})
}

// A provider that is taken away leaves a pool that does not grow, and one that comes has it grow.
func TestPoolWithoutProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		stop := f.startWith(poolRules(), nil)
		f.wait(2, "a", ofService)
		f.want(2, 0, 0, 0, 0)
		if p := f.s.View().Pool(); p.Grows || !p.Unavailable("a", "x86_64") {
			t.Errorf("%+v", p)
		}
		hand := poolInstance(provider.Order{ID: "hand", Zone: "a", Architecture: "x86_64", CPUUnits: 1024, MemoryMiB: 2048}, true)
		f.put(hand)
		f.pass(time.Second)
		f.want(1, 1, 0, 1, 0)
		stop()
		f.start(poolRules())
		f.pass(time.Second)
		f.want(0, 2, 1, 2, 1)
		f.end(true)
		f.pass(time.Hour) // what joined by hand is never terminated
		f.want(0, 0, 0, 1, 0)
	})
}

// Spare members are launched ahead of need.
func TestPoolSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		r := poolRules()
		r.Spare = 1
		f.start(r)
		f.pass(time.Second)
		f.want(0, 0, 1, 1, 1)
		f.pass(time.Hour)
		f.want(0, 0, 1, 1, 1)
		f.wait(1, "a")
		f.want(0, 1, 2, 2, 2)
	})
}
