package placement

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/ecs"
)

// abroad is a fleet of i1 on EC2, i2 outside, and i3 outside without room.
func abroad() *yard {
	y := newYard()
	for n, id := range []string{"i-1", "mi-2", "mi-3"} {
		y.add("a", 1000, []int{100, 100, 10}[n]).Ec2InstanceID = id
	}
	return y
}

// TestLaunchTypes: EXTERNAL tasks are on external instances only and all others never, and the closest instance is one of the right kind.
func TestLaunchTypes(t *testing.T) {
	reserve := ecs.Resources{MemoryMiB: 40}
	for _, c := range []struct {
		launch types.LaunchType
		count  int
		want   string
	}{
		{"", 2, "i1 i1"},
		{types.LaunchTypeEc2, 3, "i1 i1; refused 1: ATTRIBUTE 2, RESOURCE:MEMORY 1; closest i1 RESOURCE:MEMORY short 20"},
		{types.LaunchTypeExternal, 2, "i2 i2"},
		{types.LaunchTypeExternal, 3, "i2 i2; refused 1: RESOURCE:MEMORY 2, ATTRIBUTE 1; closest i2 RESOURCE:MEMORY short 20"},
	} {
		if got := Decide(abroad(), Request{Count: c.count, LaunchType: c.launch, Reserve: reserve, Service: true}).String(); got != c.want {
			t.Errorf("%d tasks of launch type %q\ngot  %s\nwant %s", c.count, c.launch, got, c.want)
		}
	}
	y := abroad()
	y.instances = y.instances[:1]
	const want = "was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance i1) " +
		"is missing an attribute required by your task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	if got := Decide(y, Request{Count: 1, LaunchType: types.LaunchTypeExternal}).ServiceEvent(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestLaunchTypesNeverMix: whatever the fleet, strategies and constraints, no task is on an instance of the other kind, and one is refused only
// where all instances of its own kind refuse it.
func TestLaunchTypesNeverMix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := newYard()
		for range rapid.IntRange(0, 8).Draw(t, "instances") {
			i := y.add(rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "zone"), 1000, rapid.IntRange(0, 300).Draw(t, "memory"))
			i.Ec2InstanceID = rapid.SampledFrom([]string{"i-1", "mi-1"}).Draw(t, "id")
		}
		r := Request{
			Count: rapid.IntRange(1, 20).Draw(t, "count"), Reserve: ecs.Resources{MemoryMiB: 50}, Service: rapid.Bool().Draw(t, "service"),
			LaunchType: rapid.SampledFrom([]types.LaunchType{"", types.LaunchTypeEc2, types.LaunchTypeExternal}).Draw(t, "launch type"),
			Strategy:   rapid.SliceOfN(rapid.SampledFrom([]types.PlacementStrategy{spreadZone, spreadHost, packMemory, random}), 0, 3).Draw(t, "strategy"),
		}
		room := 0
		for _, i := range y.instances {
			if i.External() == (r.LaunchType == types.LaunchTypeExternal) {
				room += i.Registered.MemoryMiB / 50
			}
		}
		p := Decide(y, r)
		if len(p.Placed) != min(room, r.Count) {
			t.Fatalf("%s: there is room for %d", p, room)
		}
		for _, a := range p.Placed {
			for _, i := range y.instances {
				if i.ContainerInstanceArn == a && i.External() != (r.LaunchType == types.LaunchTypeExternal) {
					t.Fatalf("%s: a task of launch type %q is on %s", p, r.LaunchType, i.Ec2InstanceID)
				}
			}
		}
	})
}
