package deployment

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// atlas are the availability zones of a world. A nil one has none.
type atlas struct {
	room   map[string]int  // for how many tasks, by zone; 0 is none
	closed map[string]bool // zones where no instance fulfils the constraints
	looks  int             // how often Usable was asked
}

func (a *atlas) view(w *world) *Zones {
	if a == nil {
		return nil
	}
	return &Zones{
		Tasks: func(id string) iter.Seq2[string, int] {
			n := map[string]int{}
			for _, t := range w.tasks {
				if t.StartedBy == id && t.DesiredStatus == ecs.Running {
					n[t.AvailabilityZone]++
				}
			}
			return maps.All(n)
		},
		Cluster: func(yield func(string, int) bool) {
			for z := range a.room {
				if !yield(z, 1) {
					return
				}
			}
		},
		Usable: func() (out []string) {
			a.looks++
			for z := range a.room {
				if !a.closed[z] {
					out = append(out, z)
				}
			}
			return out
		},
	}
}

func (a *atlas) count(w *world) map[string]int {
	n := map[string]int{}
	for _, t := range w.live() {
		n[t.AvailabilityZone]++
	}
	return n
}

func (a *atlas) free(w *world, zone string) bool {
	return !a.closed[zone] && a.count(w)[zone] < a.room[zone]
}

// lightest is where placement puts a task: the zone with the fewest that has room.
func (a *atlas) lightest(w *world) (best string) {
	if a == nil {
		return ""
	}
	for _, z := range slices.Sorted(maps.Keys(a.room)) {
		if a.free(w, z) && (best == "" || a.count(w)[z] < a.count(w)[best]) {
			best = z
		}
	}
	return best
}

// start does what the plan says of zones, as the controller does.
func (a *atlas) start(w *world, p *Plan) {
	n := 0
	if p.Balance == nil {
		return
	}
	for _, z := range slices.Concat(p.Balance.Zones, p.Balance.Rest) {
		for range z.Count {
			if n < p.Balance.Most && a.free(w, z.Zone) {
				w.made++
				n++
				w.tasks = append(w.tasks, &ecs.Task{
					TaskArn: demo.Task(fmt.Sprintf("t%d", w.made)), Service: web, StartedBy: w.service.Primary().ID, AvailabilityZone: z.Zone,
					TaskDefinitionArn: w.service.Primary().TaskDefinition, DesiredStatus: ecs.Running, LastStatus: ecs.Pending, CreatedAt: w.now,
				})
			}
		}
	}
	if n == 0 {
		p.Balance = nil
		return
	}
	s := w.service.Clone()
	s.Surge = n
	w.service = s
}

// zonedWorld is a service that is steady in zones with room for ten tasks each, but in zone down.
func zonedWorld(t *testing.T, desired int, high int32, zones, down string) *world {
	t.Helper()
	w := newWorld(desired, 100, high, types.DeploymentCircuitBreaker{})
	w.service.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
	w.zones = &atlas{room: map[string]int{}, closed: map[string]bool{}}
	for _, z := range zones {
		w.zones.room[string(z)] = 10
	}
	w.zones.room[down] = 0
	if down == "" {
		delete(w.zones.room, "")
	}
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	if strings.Contains(zones, down) && down != "" != w.said("is not AZ balanced with ") {
		t.Errorf("%q", w.events)
	}
	w.events = nil
	return w
}

// spread reads like "a2 b2 c1".
func (w *world) spread() string {
	n := w.zones.count(w)
	var parts []string
	for _, z := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s%d", z, n[z]))
	}
	return strings.Join(parts, " ")
}

func TestZonesAreBalancedAgain(t *testing.T) {
	w := zonedWorld(t, 5, 200, "abc", "b")
	if got := w.spread(); got != "a3 c2" {
		t.Fatalf("before: %s", got)
	}
	w.zones.room["b"] = 10
	w.run(nil)
	if got := w.spread(); got != "a2 b1 c2" {
		t.Errorf("after: %s", got)
	}
	want := []string{ // that it is not balanced was said while b was down
		"(service web) has stopped 1 running tasks in a due to AZ rebalancing: (task ",
		"(service web) is AZ balanced with 2 tasks in a, 2 tasks in c, 1 tasks in b.",
	}
	for _, text := range want {
		if !w.said(text) {
			t.Errorf("%q is not among %q", text, w.events)
		}
	}
	if w.service.Surge != 0 || !w.said("(service web) has reached a steady state.") {
		t.Errorf("surge %d, %q", w.service.Surge, w.events)
	}
	looks := w.zones.looks
	w.settle()
	if w.zones.looks != looks {
		t.Error("a balanced service looks at all instances")
	}
}

// TestManyMoveAtOnce: as many as the maximum lets start, each to the zone that needs it.
func TestManyMoveAtOnce(t *testing.T) {
	for high, rounds := range map[int32]int{200: 1, 125: 2, 117: 3, 110: 0} {
		w := zonedWorld(t, 9, high, "abc", "c")
		w.zones.room["c"] = 10
		n := 0
		for range 20 {
			if p := w.settle(); slices.ContainsFunc(p, func(p Plan) bool { return p.Balance != nil }) {
				n++
			}
			if most := len(w.live()); most > 9*int(high)/100 {
				t.Fatalf("%d%%: %d tasks at once", high, most)
			}
			w.reactAll(nil)
		}
		want := "a3 b3 c3"
		if rounds == 0 {
			want = "a5 b4"
		}
		if got := w.spread(); got != want || n != rounds {
			t.Errorf("%d%%: %s after %d rounds, want %s after %d", high, got, n, want, rounds)
		}
	}
}

// TestNoBalance: what keeps a service as it is.
func TestNoBalance(t *testing.T) {
	for name, change := range map[string]func(*world){
		"disabled":                     func(w *world) { w.service.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled },
		"no room":                      func(w *world) { w.zones.room["b"] = 0 },
		"constraints exclude the zone": func(w *world) { w.zones.closed["b"] = true },
		"draining":                     func(w *world) { w.draining[w.live()[0].TaskArn] = true; w.places = 1 },
	} {
		w := zonedWorld(t, 4, 200, "abc", "b")
		w.zones.room["b"] = 10
		change(w)
		for range 5 {
			w.settle()
			w.reactAll(nil)
		}
		if got := w.spread(); got != "a2 c2" {
			t.Errorf("%s: %s", name, got)
		}
		if w.service.Surge != 0 || w.said("to AZ Rebalance") {
			t.Errorf("%s: surge %d, %q", name, w.service.Surge, w.events)
		}
	}
}

// TestDeficits: which zones take tasks, and how many at most.
func TestDeficits(t *testing.T) {
	zones := func(counts ...int) (out []ZoneCount) {
		for i, n := range counts {
			out = append(out, ZoneCount{string(rune('a' + i)), n})
		}
		return out
	}
	for _, c := range []struct {
		zones []ZoneCount
		want  string
	}{
		{zones(9, 0), "[{b 5}] []"},
		{zones(3, 1, 1), "[{c 1} {b 1}] []"},
		{zones(4, 2, 0), "[{c 2}] [{b 1}]"},
		{zones(3, 3, 2, 1), "[{d 1}] []"}, // c would be as full as a: a task would go round and round where d has no room
		{zones(1, 0, 0, 0), "[] []"},
		{zones(5, 0, 0, 0, 0), "[{e 1} {d 1} {c 1} {b 1}] [{e 1} {d 1} {c 1} {b 1}]"},
	} {
		if got := fmt.Sprint(deficits(c.zones)); got != c.want {
			t.Errorf("%v: %s, want %s", c.zones, got, c.want)
		}
	}
}

// TestProtectedTasksDoNotMove: nothing is started for them, so that nothing goes to and fro.
func TestProtectedTasksDoNotMove(t *testing.T) {
	w := zonedWorld(t, 4, 200, "abc", "b")
	for _, x := range w.live() {
		x.ProtectedUntil = aws.Time(w.now.Add(24 * time.Hour))
	}
	w.zones.room["b"] = 10
	before := w.made
	for range 5 {
		w.settle()
		w.reactAll(nil)
	}
	if w.made != before || w.spread() != "a2 c2" {
		t.Errorf("%s, %d started", w.spread(), w.made-before)
	}
	said := func() (out []string) {
		for _, e := range w.events {
			if strings.Contains(e, Immovable) {
				out = append(out, e)
			}
		}
		return out
	}
	want := []string{"(service web) was unable to AZ Rebalance because (taskSet " + w.service.Primary().ID + ") was unable to scale in due to (reason 1 tasks under protection)"}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	if BlockedByProtection(w.service) {
		t.Error("more tasks cannot be protected, though the service is where it should be")
	}
	for _, x := range w.live() {
		x.ProtectedUntil = nil
	}
	if w.run(nil) < 0 || w.spread() == "a2 c2" {
		t.Errorf("without protection: %s", w.spread())
	}
	if got := said(); len(got) != 1 || slices.ContainsFunc(w.service.Said, func(x ecs.Said) bool { return x.Topic == topicImmovable }) {
		t.Errorf("without protection: events %q, topics %v", got, w.service.Said)
	}
}

// TestBalanceGivesWay: what comes between while tasks are on their way has its ordinary course, and the balance comes after it.
func TestBalanceGivesWay(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		want   string
	}{
		"an update":      {func(w *world) { w.update("web:2") }, "a2 b1 c1"},
		"scaled out":     {func(w *world) { w.service = w.service.Clone(); w.service.DesiredCount = 7 }, "a3 b2 c2"},
		"scaled in":      {func(w *world) { w.service = w.service.Clone(); w.service.DesiredCount = 1 }, ""},
		"a task died":    {func(w *world) { w.exit(w.live()[0]) }, "a1 b2 c1"},
		"the new failed": {func(w *world) { l := w.live(); w.react(l[len(l)-1], true) }, "a1 b1 c2"},
		"switched off": {func(w *world) {
			w.service = w.service.Clone()
			w.service.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled
		}, "a2 c2"},
	} {
		w := zonedWorld(t, 4, 200, "abc", "b")
		w.zones.room["b"] = 10
		w.settle()
		if w.service.Surge != 1 || len(w.live()) != 5 {
			t.Fatalf("surge %d, %s", w.service.Surge, w.spread())
		}
		c.change(w)
		if w.run(nil) < 0 {
			t.Fatalf("%s: never came to rest", name)
		}
		if w.service.Surge != 0 || len(w.live()) != w.service.DesiredCount {
			t.Errorf("%s: surge %d, %d tasks", name, w.service.Surge, len(w.live()))
		}
		counts := slices.Collect(maps.Values(w.zones.count(w)))
		if c.want != "a2 c2" && c.want != "" && (len(counts) != 3 || slices.Max(counts)-slices.Min(counts) > 1) {
			t.Errorf("%s: %s", name, w.spread())
		}
	}
}

// TestBalanceComesToRest: whatever zones there are, and wherever there is room: never more than the maximum, never fewer healthy ones than
// wanted, and in the end zones differ by one task at most as far as room lets.
func TestBalanceComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		desired, high := rapid.IntRange(1, 12).Draw(t, "desired"), int32(rapid.SampledFrom([]int{110, 134, 150, 200}).Draw(t, "maximum"))
		w := newWorld(desired, 100, high, types.DeploymentCircuitBreaker{})
		w.service.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
		w.budget = rapid.SampledFrom([]int{2, 5, 90}).Draw(t, "budget")
		w.zones = &atlas{room: map[string]int{"a": 99}, closed: map[string]bool{}}
		if w.run(nil) < 0 {
			t.Fatal("never came to rest at first")
		}
		for _, z := range []string{"b", "c", "d"}[:rapid.IntRange(0, 3).Draw(t, "zones")] {
			w.zones.room[z] = rapid.SampledFrom([]int{0, 1, 2, 3, 99}).Draw(t, "room")
		}
		for range 60 {
			w.settle()
			if n := len(w.live()); n > max(desired*int(high)/100, desired) {
				t.Fatalf("%d tasks of at most %d", n, desired*int(high)/100)
			}
			if c := w.counts(w.service.Primary().ID); c.WantHealthy < desired {
				t.Fatalf("%d healthy of %d", c.WantHealthy, desired)
			}
			w.reactAll(nil)
		}
		w.settle()
		if w.service.Surge != 0 || len(w.live()) != desired {
			t.Fatalf("surge %d, %s of %d", w.service.Surge, w.spread(), desired)
		}
		if desired*int(high)/100 == desired {
			return // no task can start before another has stopped
		}
		n := w.zones.count(w)
		for z, room := range w.zones.room {
			if n["a"]-n[z] > 1 && n[z] < room {
				t.Fatalf("%s", w.spread())
			}
		}
	})
}

func TestZoneTexts(t *testing.T) {
	if got := ZoneStarted("us-east-1a", []arn.Task{demo.Task("1"), demo.Task("2")}); got != "has started 2 tasks in us-east-1a to AZ Rebalance: (task 1) (task 2)." {
		t.Error(got)
	}
	if got := ZoneWithoutRoom("us-east-1a"); got != "is unable to place a task in us-east-1a because no container instance met all of its requirements." {
		t.Error(got)
	}
}
