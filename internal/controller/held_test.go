package controller

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// TestDaemonsComeFirst: an instance that joins with room for one task has the daemon's, however many services wait for a place and whoever looks
// first. When the daemon is deleted, they have the room.
func TestDaemonsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 1, 0)
		low, high := int32(0), int32(100)
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			web := tx.Services.Get(demo.Service("web"))
			for n := range 9 {
				x := web.Clone()
				x.ServiceArn = demo.Service(fmt.Sprint("a", n))
				x.Begin(fmt.Sprint("ecs-svc/1", n), stamp())
				tx.Put(x)
			}
			d := web.Clone()
			d.ServiceArn, d.SchedulingStrategy, d.DesiredCount = demo.Service("daemon"), types.SchedulingStrategyDaemon, 0
			d.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: &low, MaximumPercent: &high}
			d.Begin("ecs-svc/2", stamp())
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for n := range 30 {
			put(t, s, fmt.Sprint("i", n), func(i *ecs.Instance) { i.Registered.MemoryMiB = 100 })
			if n%3 == 0 {
				time.Sleep(time.Second) // else they join faster than services are looked at
			}
		}
		report(t, s)
		for x := range s.View().Tasks.All() {
			if x.Service != demo.Service("daemon") {
				t.Errorf("%s is on %s, where the daemon has no room now", x.Group, x.ContainerInstanceArn.ID())
			}
		}
		if n := s.View().Tasks.ServiceCounts(demo.Service("daemon")).Running; n != 30 {
			t.Errorf("%d daemon tasks", n)
		}
		err = s.Update(t.Context(), func(tx *state.Tx) error {
			d := tx.Services.Get(demo.Service("daemon")).Clone()
			d.Status = ecs.Draining
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		report(t, s)
		report(t, s)
		if n := s.View().Cluster(demo).RunningTasks; n != 10 {
			t.Errorf("%d tasks when the daemon is gone, want one of each service", n)
		}
	})
}

// TestHeldRoomIsGivenBack: a daemon that cannot start where it holds room lets others have it when it changes so that it needs none there.
func TestHeldRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 1, 0)
		later := stamp().Add(time.Hour)
		err := s.Update(t.Context(), func(tx *state.Tx) error {
			d := tx.Services.Get(demo.Service("web")).Clone()
			d.ServiceArn, d.SchedulingStrategy, d.DesiredCount = demo.Service("daemon"), types.SchedulingStrategyDaemon, 0
			d.Begin("ecs-svc/2", stamp())
			d.Deployments[0].NextStartAt, d.Deployments[0].Failures = &later, 9
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "i", func(i *ecs.Instance) { i.Registered.MemoryMiB = 100 })
		report(t, s)
		if n := s.View().Tasks.Len(); n != 0 {
			t.Fatalf("%d tasks, while the daemon holds the room", n)
		}
		nowhere := "attribute:nobody exists"
		err = s.Update(t.Context(), func(tx *state.Tx) error {
			d := tx.Services.Get(demo.Service("daemon")).Clone()
			d.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &nowhere}}
			tx.Put(d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		report(t, s)
		if n := s.View().Tasks.ServiceCounts(demo.Service("web")).Tasks(); n != 1 {
			t.Errorf("%d tasks of the other service", n)
		}
	})
}
