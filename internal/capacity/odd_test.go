package capacity

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestOddNumbers: whatever the numbers, a decision comes to an end, without a panic, and launches only what has a size and a number.
func TestOddNumbers(t *testing.T) {
	number := rapid.SampledFrom([]int{-5000, -1, 0, 1, 2, 1000, 5000, 1 << 40})
	rapid.Check(t, func(t *rapid.T) {
		sizes := func(name string) Size { return Size{number.Draw(t, name), number.Draw(t, name)} }
		v := View{Rules: Rules{
			Member: sizes("member"), Zones: []string{"a"}, Architectures: []string{"x"}, MostMembers: number.Draw(t, "most"), Most: sizes("most"),
			IdleFor: time.Duration(number.Draw(t, "idle")), LaunchTimeout: time.Duration(number.Draw(t, "timeout")), Spare: min(number.Draw(t, "spare"), 5000),
			FirstBackoff: time.Duration(number.Draw(t, "first")), LastBackoff: time.Duration(number.Draw(t, "last")), LaunchAtOnce: number.Draw(t, "at once"),
		}}
		for range rapid.IntRange(0, 5).Draw(t, "members") {
			v.Members = append(v.Members, Member{
				ID: "m", Zone: "a", Architecture: "x", Size: sizes("size"), Free: sizes("free"), Stopping: sizes("stopping"), Spot: sizes("spot"),
				Tasks: number.Draw(t, "tasks"), State: State(rapid.IntRange(0, 2).Draw(t, "state"))})
		}
		for range rapid.IntRange(0, 5).Draw(t, "needs") {
			v.Needs = append(v.Needs, Need{Size: sizes("need"), Zone: "a", Architecture: "x", Spot: rapid.Bool().Draw(t, "on spot"), Count: number.Draw(t, "count")})
		}
		if rapid.Bool().Draw(t, "failed") {
			v.Launches = []Launches{{Zone: "a", Architecture: "x", Failures: number.Draw(t, "failures"), LastFailure: noon}}
		}
		p := Decide(v, noon)
		for _, l := range p.Launch {
			if l.Count <= 0 || l.Size.atLeast0() != l.Size {
				t.Fatalf("launch %+v", l)
			}
		}
		for _, r := range p.Reclaim {
			if r.Size.atLeast0() != r.Size {
				t.Fatalf("reclaim %+v", r)
			}
		}
		_ = p.String()
	})
}
