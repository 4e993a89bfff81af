package berth

import (
	"testing"

	"berth/internal/ecs"
)

// What is said of capacity names what keeps the pool from growing.
func TestCapacityIn(t *testing.T) {
	for _, c := range []struct {
		pool *ecs.Pool
		want string
	}{
		{nil, "nothing launches members of the pool; make machines join it (docs/fargate-pool.md)"},
		{&ecs.Pool{}, "nothing launches members of the pool; make machines join it (docs/fargate-pool.md)"},
		{&ecs.Pool{Grows: true}, "no members of architecture x86_64 are launched there"},
		{&ecs.Pool{Grows: true, Zones: []ecs.PoolZone{{Zone: "a", Architecture: "x86_64"}}}, "members are being launched"},
		{&ecs.Pool{Grows: true, Zones: []ecs.PoolZone{{Zone: "a", Architecture: "x86_64", Unavailable: true}}}, "there is none now: the pool is as large as it may be"},
		{&ecs.Pool{Grows: true, Zones: []ecs.PoolZone{{Zone: "a", Architecture: "x86_64", Unavailable: true, Reason: "no quota"}}}, "there is none now: no quota"},
	} {
		if got := capacityIn(c.pool, "a", "x86_64"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
