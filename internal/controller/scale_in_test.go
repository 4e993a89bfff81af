package controller

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// change stores what do makes of the service.
func change(t *testing.T, s *state.Store, do func(*ecs.Service)) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		n := tx.Services.Get(demo.Service("web")).Clone()
		do(n)
		tx.Put(n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		report(t, s)
	}
}

// instancesWith is how many tasks each instance has: "i0:3 i1:3".
func instancesWith(s *state.Store) (out string) {
	v := s.View()
	for i := range v.Instances.All() {
		out += fmt.Sprintf("%s:%d ", i.ContainerInstanceArn.ID(), v.Tasks.Usage(i.ContainerInstanceArn).Tasks)
	}
	return out
}

// TestScaleInKeepsZonesInBalance: the youngest tasks are all in a zone that came late, and yet it keeps its share; so does it in more rounds than one.
func TestScaleInKeepsZonesInBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t, 0, 2)
		if err := s.Update(t.Context(), func(tx *state.Tx) error {
			for n := range 2 {
				x := *tx.Instances.Get(demo.Instance(fmt.Sprintf("i%d", n)))
				x.Registered = ecs.Resources{CPUUnits: 100_000, MemoryMiB: 100_000}
				tx.Put(&x)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		change(t, s, func(x *ecs.Service) { x.DesiredCount = 120 })
		if err := s.Update(t.Context(), func(tx *state.Tx) error {
			x := instance("i2", true, nil)
			x.Attributes = []types.Attribute{{Name: new(ecs.AttributeZone), Value: new("us-east-1b")}}
			x.Registered = ecs.Resources{CPUUnits: 100_000, MemoryMiB: 100_000}
			tx.Put(x)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		change(t, s, func(x *ecs.Service) { x.DesiredCount = 220 })
		if got, want := instancesWith(s), "i0:60 i1:60 i2:100 "; got != want {
			t.Fatalf("after the scale-out %s, want %s", got, want)
		}
		change(t, s, func(x *ecs.Service) { x.DesiredCount = 20 })
		if got, want := instancesWith(s), "i0:5 i1:5 i2:10 "; got != want {
			t.Errorf("after the scale-in %s, want %s", got, want)
		}
		change(t, s, func(x *ecs.Service) {
			x.PlacementStrategy = []types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: new("memory")}}
			x.DesiredCount = 9
		})
		if got, want := instancesWith(s), "i0:0 i1:0 i2:9 "; got != want {
			t.Errorf("packed %s, want %s", got, want)
		}
	})
}
