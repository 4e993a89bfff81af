package controller

import (
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// Places that are left over do not stay: the service may never ask again.
func TestOldPlacesAreDropped(t *testing.T) {
	x := instance("i", true, nil)
	x.Registered = ecs.Resources{CPUUnits: 1000, MemoryMiB: 1000}
	s := statetest.Open(t, cluster(), x)
	now := stamp()
	c := &Services{fleets: map[arn.Cluster]uint64{}, ahead: map[arn.Service]*ahead{
		demo.Service("gone"): {until: now.Add(-time.Second), places: make([]arn.Instance, 5)},
		demo.Service("live"): {until: now.Add(time.Second), places: make([]arn.Instance, 5)},
	}}
	placed := 0
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		c.place(tx, demo.Service("web"), "ecs-svc/1", placement.Request{Reserve: ecs.Resources{CPUUnits: 100, MemoryMiB: 100}}, 1, 3, now, func(*ecs.Instance) { placed++ })
		return nil
	})
	if err != nil || placed != 1 {
		t.Fatalf("%d placed, %v", placed, err)
	}
	if c.ahead[demo.Service("gone")] != nil || c.ahead[demo.Service("live")] == nil || len(c.ahead[demo.Service("web")].places) != 3 {
		t.Errorf("kept %v", c.ahead)
	}
}
