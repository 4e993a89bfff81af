package controller

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/state"
)

// put stores an instance of the demo cluster, or another version of one.
func put(t *testing.T, s *state.Store, id string, change func(*ecs.Instance)) {
	t.Helper()
	x := instance(id, true, nil)
	x.Registered = ecs.Resources{CPUUnits: 1000, MemoryMiB: 1000}
	if change != nil {
		change(x)
	}
	if err := s.Update(t.Context(), func(tx *state.Tx) error { tx.Put(x); return nil }); err != nil {
		t.Fatal(err)
	}
}

// daemons counts the daemon's tasks that should run on each instance, but for those with one.
func daemons(s *state.Store) map[string]int {
	out := map[string]int{}
	for i := range s.View().Instances.All() {
		n := 0
		for x := range s.View().Tasks.OnInstance(i.ContainerInstanceArn) {
			if x.Service == demo.Service("web") && x.DesiredStatus == ecs.Running {
				n++
			}
		}
		if n != 1 {
			out[i.ContainerInstanceArn.ID()] = n
		}
	}
	return out
}

func wantDaemons(t *testing.T, s *state.Store, what string, exceptions map[string]int) {
	t.Helper()
	report(t, s)
	report(t, s)
	got := daemons(s)
	if len(got) != len(exceptions) {
		t.Fatalf("%s: not one task each: %v, want %v", what, got, exceptions)
	}
	for id, n := range exceptions {
		if v, has := got[id]; !has || v != n {
			t.Fatalf("%s: not one task each: %v, want %v", what, got, exceptions)
		}
	}
}

// said counts the service events with a text.
func said(s *state.Store, text string) (n int) {
	for e := range s.View().Events.All() {
		if strings.Contains(e.Message, text) {
			n++
		}
	}
	return n
}

func TestDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 0, 3)
		a := demo.Service("web")
		low, high := int32(0), int32(100)
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			d := tx.Services.Get(a).Clone()
			d.SchedulingStrategy = types.SchedulingStrategyDaemon
			d.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: &low, MaximumPercent: &high}
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantDaemons(t, s, "at first", nil)
		if d := s.View().Services.Get(a); d.DesiredCount != 3 || d.SteadyAt == nil || d.Primary().RolloutState != types.DeploymentRolloutStateCompleted {
			t.Errorf("%+v", d)
		}
		put(t, s, "new", nil)
		wantDaemons(t, s, "after one has joined", nil)

		put(t, s, "full", func(i *ecs.Instance) { i.Registered.MemoryMiB = 10 })
		put(t, s, "away", func(i *ecs.Instance) { i.Connected = false })
		wantDaemons(t, s, "with one that has no room and one that is not connected", map[string]int{"full": 0, "away": 0})
		if d := s.View().Services.Get(a); d.DesiredCount != 5 {
			t.Errorf("desired count %d, want 5: all but the one that is not connected", d.DesiredCount)
		}
		if n := said(s, "The closest matching (container-instance full) has insufficient memory available."); n != 1 {
			t.Errorf("that there is no room is said %d times", n)
		}
		put(t, s, "full", nil)
		put(t, s, "away", nil)
		wantDaemons(t, s, "when both can", nil)

		single := &ecs.Task{
			TaskArn: demo.Task("single"), ContainerInstanceArn: arn.Instance(demo.Instance("new")), LastStatus: ecs.Running, DesiredStatus: ecs.Running,
			TaskDefinitionArn: s.View().Services.Get(a).TaskDefinition, CreatedAt: stamp(),
		}
		if err := s.Update(t.Context(), func(tx *state.Tx) error { tx.Put(single); return nil }); err != nil {
			t.Fatal(err)
		}
		put(t, s, "new", func(i *ecs.Instance) { i.Status = ecs.Draining })
		wantDaemons(t, s, "while another task is on the draining instance", nil)
		err = s.Update(t.Context(), func(tx *state.Tx) error {
			n, now := tx.Tasks.Get(single.TaskArn).Clone(), stamp()
			n.Stop(now, types.TaskStopCodeUserInitiated, "over")
			n.Advance(ecs.Stopped)
			n.StoppedAt = &now
			tx.Put(n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		wantDaemons(t, s, "when it has gone", map[string]int{"new": 0})
		put(t, s, "new", nil)
		wantDaemons(t, s, "when the instance is ACTIVE again", nil)
		if n := said(s, deployment.Violated); n != 0 {
			t.Errorf("that the constraints do not hold is said %d times, and they always did", n)
		}
		put(t, s, "new", func(i *ecs.Instance) { i.Ec2InstanceID = "mi-new" })
		wantDaemons(t, s, "when the instance is not one for it any more", map[string]int{"new": 0})
		if n := said(s, deployment.Violated); n != 1 {
			t.Errorf("that the constraints do not hold is said %d times", n)
		}
		put(t, s, "new", nil)
		wantDaemons(t, s, "when it is one again", nil)

		err = s.Update(t.Context(), func(tx *state.Tx) error {
			d := tx.Services.Get(a).Clone()
			d.Status = ecs.Draining
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		report(t, s)
		report(t, s)
		if d := s.View().Services.Get(a); d.Status != ecs.Inactive {
			t.Errorf("after it was deleted it is %s with %+v", d.Status, s.View().Tasks.ServiceCounts(a))
		}
	})
}
