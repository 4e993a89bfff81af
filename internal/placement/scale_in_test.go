package placement

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// grown is a yard with a service's tasks on it: a digit for each instance, zones apart by blanks ("21 3": two and one in zone a, three in b).
// Tasks are named after their instance: "i1.1", "i1.2".
func grown(layout string) (y *yard, tasks []Running) {
	y = newYard()
	zone := 'a'
	for _, x := range layout {
		if x == ' ' {
			zone++
			continue
		}
		i := y.add(string(zone), 1024, 1024)
		for n := range int(x - '0') {
			tasks = append(tasks, Running{Task: demo.Task(fmt.Sprintf("%s.%d", i.ContainerInstanceArn.ID(), n+1)), Instance: i})
		}
		y.group[i.ContainerInstanceArn] = int(x - '0')
		y.used[i.ContainerInstanceArn] = ecs.Resources{CPUUnits: 100 * int(x-'0'), MemoryMiB: 100 * int(x-'0')}
	}
	return y, tasks
}

func ids(tasks []arn.Task) string {
	var out []string
	for _, t := range tasks {
		out = append(out, t.ID())
	}
	return strings.Join(out, " ")
}

func TestScaleIn(t *testing.T) {
	spreadInstances := strategy(types.PlacementStrategyTypeSpread, "instanceId")
	for _, c := range []struct {
		name, layout string
		strategy     []types.PlacementStrategy
		stay         string // tasks that stay
		n            int
		want         string
	}{
		{"the fullest zone, there the fullest instance", "21 11", nil, "", 1, "i1.1"},
		{"not the fullest instance of all, where its zone has fewer", "22 3", nil, "", 1, "i2.1"},
		{"one after another", "31 2", nil, "", 4, "i1.1 i1.2 i2.1 i3.1"},
		{"what stays counts", "31 2", nil, "i1.1 i1.2 i1.3", 2, "i2.1 i3.1"},
		{"spread over instances alone", "13 2", []types.PlacementStrategy{spreadInstances}, "", 2, "i2.1 i3.1"},
		{"packed: the emptiest instance", "23 1", []types.PlacementStrategy{packMemory}, "", 4, "i3.1 i1.1 i1.2 i2.1"},
		{"zones, then packed", "23 1", []types.PlacementStrategy{spreadZone, packMemory}, "", 3, "i1.1 i1.2 i2.1"},
		{"spread behind a pack", "13 13", []types.PlacementStrategy{packMemory, spreadZone}, "", 2, "i3.1 i1.1"},
		{"all of them", "1", nil, "", 5, "i1.1"},
		{"none", "11", nil, "", 0, ""},
		{"none may", "2", nil, "i1.1 i1.2", 2, ""},
	} {
		y, tasks := grown(c.layout)
		for i := range tasks {
			tasks[i].Stays = slices.Contains(strings.Fields(c.stay), tasks[i].Task.ID())
		}
		r := Request{Service: true, Strategy: c.strategy, Reserve: ecs.Resources{CPUUnits: 100, MemoryMiB: 100}}
		if got := ids(ScaleIn(y, r, slices.Values(tasks), c.n)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestScaleInAtRandom: each task has the same chance, wherever it is.
func TestScaleInAtRandom(t *testing.T) {
	y, tasks := grown("17")
	r := Request{Service: true, Strategy: []types.PlacementStrategy{strategy(types.PlacementStrategyTypeRandom, "")}}
	had := map[string]int{}
	const each = 1000
	for seed := range each * len(tasks) {
		r.Seed = uint64(seed)
		had[ids(ScaleIn(y, r, slices.Values(tasks), 1))]++
	}
	for _, x := range tasks {
		if n := had[x.Task.ID()]; n < each*85/100 || n > each*115/100 {
			t.Errorf("%s stopped %d times, want about %d", x.Task.ID(), n, each)
		}
	}
}

// TestScaleInUndoesPlacement: zones and instances that placement has balanced stay so, whatever is left.
func TestScaleInUndoesPlacement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := newYard()
		for i := range rapid.IntRange(1, 12).Draw(t, "instances") {
			y.add(string(rune('a'+i%3)), 1<<20, 1<<20)
		}
		n := rapid.IntRange(0, 60).Draw(t, "tasks")
		r := Request{Service: true, Count: n}
		var tasks []Running
		for i, at := range Decide(y, r).Placed {
			on := slices.IndexFunc(y.instances, func(x *ecs.Instance) bool { return x.ContainerInstanceArn == at })
			tasks = append(tasks, Running{Task: demo.Task(fmt.Sprint("t", i)), Instance: y.instances[on]})
		}
		gone := ScaleIn(y, r, slices.Values(tasks), rapid.IntRange(0, n).Draw(t, "stop"))
		zones, instances := map[string]int{}, map[string]map[arn.Instance]int{}
		for _, x := range y.instances {
			z := (&lookup{name: ecs.AttributeZone}).value(x)
			zones[z] += 0
			if instances[z] == nil {
				instances[z] = map[arn.Instance]int{}
			}
			instances[z][x.ContainerInstanceArn] = 0
		}
		for _, x := range tasks {
			if !slices.Contains(gone, x.Task) {
				z := (&lookup{name: ecs.AttributeZone}).value(x.Instance)
				zones[z]++
				instances[z][x.Instance.ContainerInstanceArn]++
			}
		}
		level(t, zones)
		for _, z := range instances {
			level(t, z)
		}
	})
}

func level[K comparable](t *rapid.T, counts map[K]int) {
	low, high := 1<<30, 0
	for _, n := range counts {
		low, high = min(low, n), max(high, n)
	}
	if high-low > 1 {
		t.Fatalf("out of balance: %v", counts)
	}
}

func BenchmarkScaleIn(b *testing.B) {
	y := fleetOf(1000)
	var tasks []Running
	for n := range 100_000 {
		tasks = append(tasks, Running{Task: demo.Task(fmt.Sprintf("%032x", n)), Instance: y.instances[n%1000]})
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := ScaleIn(y, Request{Service: true}, slices.Values(tasks), 50_000); len(got) != 50_000 {
			b.Fatal(len(got))
		}
	}
}
