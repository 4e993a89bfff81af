package placement

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

var small = ecs.Resources{CPUUnits: 256, MemoryMiB: 512}

// TestDrawGivesEachTheSameChance: of those that take the task; every third instance is full, and every seventh is draining.
func TestDrawGivesEachTheSameChance(t *testing.T) {
	y := newYard()
	can := map[arn.Instance]bool{}
	for i := range 42 {
		x := y.add("a", 1024, 1024)
		switch {
		case i%3 == 0:
			y.used[x.ContainerInstanceArn] = x.Registered
		case i%7 == 0:
			x.Status = ecs.Draining
		default:
			can[x.ContainerInstanceArn] = true
		}
	}
	const each = 1000
	had := map[arn.Instance]int{}
	for seed := range each * len(can) {
		p := Decide(y, Request{Count: 1, Reserve: small, Seed: uint64(seed)})
		had[p.Placed[0]]++
	}
	for _, x := range y.instances {
		n, want := had[x.ContainerInstanceArn], 0
		if can[x.ContainerInstanceArn] {
			want = each
		}
		if n < want*85/100 || n > want*115/100 {
			t.Errorf("%s has %d tasks, want about %d", x.ContainerInstanceArn.ID(), n, want)
		}
	}
	if y.looks > each/100 {
		t.Errorf("%d of %d decisions looked at all instances", y.looks, each*len(can))
	}
}

// TestDrawTakesWhatItHasTaken: tasks of one request see each other.
func TestDrawTakesWhatItHasTaken(t *testing.T) {
	for seed := range 200 {
		y := newYard()
		for range 40 {
			y.add("a", 256, 512) // room for one
		}
		p := Decide(y, Request{Count: 10, Reserve: small, Seed: uint64(seed)})
		seen := map[arn.Instance]bool{}
		for _, i := range p.Placed {
			if seen[i] {
				t.Fatalf("seed %d: two tasks on %s, which has room for one", seed, i.ID())
			}
			seen[i] = true
		}
		if len(p.Placed) != 10 || y.looks > 0 {
			t.Fatalf("seed %d: %d placed, %d looks at all", seed, len(p.Placed), y.looks)
		}
	}
}

// TestDrawGivesUp: where few instances take the task, or none does, all are looked at; where another strategy asks for it, no lots are drawn.
func TestDrawGivesUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		free   int
		r      Request
		placed int
		draws  bool
	}{
		{"one of 500 has room", 1, Request{Count: 1}, 1, true},
		{"none has", 0, Request{Count: 1}, 0, true},
		{"not for all of them", 3, Request{Count: 5, Constraints: []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}}}, 3, true},
		{"many tasks", 500, Request{Count: 300}, 300, false},
		{"by memory", 500, Request{Count: 1, Strategy: []types.PlacementStrategy{packMemory}}, 1, false},
		{"a service's", 500, Request{Count: 1, Service: true}, 1, false},
	} {
		y := newYard()
		for i := range 500 {
			x := y.add("a", 1024, 1024)
			if i >= c.free {
				y.used[x.ContainerInstanceArn] = x.Registered
			}
		}
		c.r.Reserve, c.r.Seed = small, 7
		p := Decide(y, c.r)
		if len(p.Placed) != c.placed || p.Refused != c.r.Count-c.placed || y.looks != 1 || y.draws > 0 != c.draws {
			t.Errorf("%s: %d placed, %d refused, %d looks at all, %d draws", c.name, len(p.Placed), p.Refused, y.looks, y.draws)
		}
		if p.Refused > 0 && p.Closest.Instance == "" {
			t.Errorf("%s: it does not say why", c.name)
		}
	}
}
