package placement

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

var demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

// yard is a fleet in slices.
type yard struct {
	instances []*ecs.Instance
	used      map[arn.Instance]ecs.Resources
	own       string                    // the group of those in group; "" is any
	group     map[arn.Instance]int      // tasks of the request's group
	others    map[arn.Instance][]string // groups of other tasks
	looks     int                       // at all instances
	draws     int                       // of one
}

func (y *yard) Rooms(group string) iter.Seq[Room] {
	y.looks++
	return func(yield func(Room) bool) {
		for _, i := range y.instances {
			if !yield(y.Room(group, i)) {
				return
			}
		}
	}
}

func (y *yard) Draw(group string) (n int, room func(int) (Room, bool)) {
	return len(y.instances), func(i int) (Room, bool) {
		y.draws++
		return y.Room(group, y.instances[i]), y.instances[i].Status != ecs.Inactive
	}
}

func (y *yard) Groups(i *ecs.Instance) iter.Seq[string] {
	return slices.Values(y.others[i.ContainerInstanceArn])
}

func (y *yard) Room(group string, i *ecs.Instance) Room {
	a := i.ContainerInstanceArn
	r := Room{Instance: i, Reserved: y.used[a], Tasks: y.group[a], Running: y.group[a], InGroup: y.group[a]}
	if y.own != "" && group != y.own {
		r.InGroup = 0
		if slices.Contains(y.others[a], group) {
			r.InGroup = 1
		}
	}
	return r
}

func (y *yard) add(zone string, cpu, mib int) *ecs.Instance {
	i := &ecs.Instance{
		ContainerInstanceArn: demo.Instance(fmt.Sprintf("i%d", len(y.instances)+1)), Status: ecs.Active, Connected: true,
		Registered: ecs.Resources{CPUUnits: cpu, MemoryMiB: mib},
		Attributes: []types.Attribute{{Name: aws.String(ecs.AttributeZone), Value: aws.String(zone)}},
	}
	y.instances = append(y.instances, i)
	return i
}

func newYard() *yard {
	return &yard{used: map[arn.Instance]ecs.Resources{}, group: map[arn.Instance]int{}, others: map[arn.Instance][]string{}}
}

func strategy(kind types.PlacementStrategyType, field string) types.PlacementStrategy {
	return types.PlacementStrategy{Type: kind, Field: aws.String(field)}
}

var (
	spreadZone = strategy(types.PlacementStrategyTypeSpread, "attribute:ecs.availability-zone")
	spreadHost = strategy(types.PlacementStrategyTypeSpread, "instanceId")
	packMemory = strategy(types.PlacementStrategyTypeBinpack, "memory")
	packCPU    = strategy(types.PlacementStrategyTypeBinpack, "cpu")
	random     = types.PlacementStrategy{Type: types.PlacementStrategyTypeRandom}
	distinct   = types.PlacementConstraint{Type: types.PlacementConstraintTypeDistinctInstance}
)

func TestDecide(t *testing.T) {
	y := newYard()
	y.add("a", 2048, 4000) // i1
	y.add("a", 2048, 3000) // i2
	y.add("b", 1024, 2000) // i3
	y.add("b", 2048, 8000).Connected = false
	y.used[y.instances[2].ContainerInstanceArn] = ecs.Resources{PortsTCP: []int32{80}}
	reserve := ecs.Resources{CPUUnits: 256, MemoryMiB: 900}
	port := ecs.Resources{CPUUnits: 256, MemoryMiB: 100, PortsTCP: []int32{80}}
	y.instances[0].Registered.ENIs, y.instances[2].Registered.ENIs = 2, 1
	awsvpc := ecs.Resources{CPUUnits: 256, MemoryMiB: 100, ENIs: 1}
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"binpack fills the fullest", Request{Count: 4, Reserve: reserve, Strategy: []types.PlacementStrategy{packMemory}}, "i3 i3 i2 i2"},
		{"default of services", Request{Count: 4, Reserve: reserve, Service: true}, "i1 i3 i2 i3"},
		{"spread then binpack", Request{Count: 4, Reserve: reserve, Strategy: []types.PlacementStrategy{spreadZone, packMemory}}, "i3 i2 i3 i2"},
		{"spread over instances", Request{Count: 5, Reserve: reserve, Strategy: []types.PlacementStrategy{spreadHost}}, "i1 i2 i3 i1 i2"},
		{"distinct", Request{Count: 4, Reserve: reserve, Service: true, Constraints: []types.PlacementConstraint{distinct}},
			"i1 i3 i2; refused 1: DistinctInstance placement constraint unsatisfied. 3, AGENT 1; closest i1 DistinctInstance placement constraint unsatisfied."},
		{"memory", Request{Count: 20, Reserve: reserve, Strategy: []types.PlacementStrategy{packCPU}},
			"i3 i3 i1 i1 i1 i1 i2 i2 i2; refused 11: RESOURCE:MEMORY 3, AGENT 1; closest i1 RESOURCE:MEMORY short 500"},
		{"ports are held once", Request{Count: 3, Reserve: port, Service: true},
			"i1 i2; refused 1: RESOURCE:PORTS 3, AGENT 1; closest i1 RESOURCE:PORTS"},
		{"as many as there are interfaces", Request{Count: 4, Reserve: awsvpc, Service: true},
			"i1 i3 i1; refused 1: RESOURCE:ENI 3, AGENT 1; closest i1 RESOURCE:ENI short 1"},
		{"in the zones of their subnets", Request{Count: 3, Reserve: awsvpc, Service: true, Zones: []string{"b", "c"}},
			"i3; refused 2: ATTRIBUTE 2, AGENT 1, RESOURCE:ENI 1; closest i3 RESOURCE:ENI short 1"},
		{"zones without an instance", Request{Count: 1, Reserve: reserve, Zones: []string{"c"}}, "refused 1: ATTRIBUTE 4; closest i1 ATTRIBUTE"},
		{"attribute", Request{Count: 1, Reserve: reserve, Required: []string{"gpu"}}, "refused 1: ATTRIBUTE 4; closest i1 ATTRIBUTE"},
	} {
		if got := Decide(y, c.r).String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	if got := Decide(newYard(), Request{Count: 1}).ServiceEvent(); got != "was unable to place a task because no container instance met all of its requirements. "+
		"Reason: No Container Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide." {
		t.Error(got)
	}
	if got := Decide(y, Request{Count: 1, Reserve: ecs.Resources{MemoryMiB: 1 << 20}}).ServiceEvent(); got != "was unable to place a task because no container instance met all of its requirements. "+
		"The closest matching (container-instance i1) has insufficient memory available. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide." {
		t.Error(got)
	}
}

// TestRandomIsFair: strategy random neither clings to an instance nor avoids it, also when it has placed many.
func TestRandomIsFair(t *testing.T) {
	y := newYard()
	for range 10 {
		y.add("a", 1<<20, 1<<20)
	}
	counts, repeats := map[arn.Instance]int{}, 0
	placed := Decide(y, Request{Count: 10000, Reserve: ecs.Resources{MemoryMiB: 1}, Seed: 7}).Placed
	for n, i := range placed {
		counts[i]++
		if n > 0 && placed[n-1] == i {
			repeats++
		}
	}
	for i, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("%s got %d of 10000 tasks, want about 1000", i.ID(), n)
		}
	}
	if repeats < 850 || repeats > 1150 {
		t.Errorf("%d of 10000 tasks are where the one before is, want about 1000", repeats)
	}
}

func TestNobodyToAsk(t *testing.T) {
	y := newYard()
	y.add("a", 1024, 1024).Status = ecs.Draining
	if Populated(y) {
		t.Error("a fleet of draining instances is populated")
	}
	p := Decide(y, Request{Count: 1})
	if got := p.ServiceEvent(); !strings.Contains(got, "No Container Instances were found in your cluster.") {
		t.Error(got)
	}
	y.add("a", 1024, 1024)
	if !Populated(y) {
		t.Error("a fleet with an ACTIVE instance is not populated")
	}
}

// TestSpreadIsEven: zones with room for all differ by one task at most, however many instances they have.
func TestSpreadIsEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y, zone := newYard(), map[arn.Instance]string{}
		for _, z := range []string{"a", "b", "c"} {
			for range rapid.IntRange(1, 4).Draw(t, "instances") {
				zone[y.add(z, 1<<20, 1<<20).ContainerInstanceArn] = z
			}
		}
		r := Request{Count: rapid.IntRange(0, 40).Draw(t, "count"), Service: true, Reserve: ecs.Resources{CPUUnits: 1, MemoryMiB: 1}}
		if rapid.Bool().Draw(t, "explicit") {
			r.Strategy = []types.PlacementStrategy{spreadZone, packMemory}
		}
		tasks := map[string]int{"a": 0, "b": 0, "c": 0}
		for _, i := range Decide(y, r).Placed {
			tasks[zone[i]]++
		}
		if least, most := min(tasks["a"], tasks["b"], tasks["c"]), max(tasks["a"], tasks["b"], tasks["c"]); most-least > 1 || tasks["a"]+tasks["b"]+tasks["c"] != r.Count {
			t.Fatalf("%d tasks are spread as %v", r.Count, tasks)
		}
	})
}

// reference places by looking at every instance for every task.
func reference(y *yard, r Request) (out []arn.Instance) {
	k := newChecker(y, r)
	all := k.candidates()
	rank := func(c *candidate) (v []int64) {
		for n, s := range chain(r) {
			field := text(s.Field)
			switch {
			case s.Type == types.PlacementStrategyTypeRandom:
				v = append(v, c.turn)
			case s.Type == types.PlacementStrategyTypeBinpack && field == "cpu":
				v = append(v, int64(c.cpu))
			case s.Type == types.PlacementStrategyTypeBinpack:
				v = append(v, int64(c.mib))
			default:
				leading, _ := levels(chain(r)[:n+1])
				if len(leading) != n+1 {
					leading = []string{field}
				}
				count := 0
				for i := range all {
					if single(field) && i == c.index || !single(field) && same(all[i].instance, c.instance, leading) {
						count += all[i].group
					}
				}
				v = append(v, int64(count))
			}
		}
		return append(v, int64(c.index))
	}
	for range r.Count {
		var best *candidate
		for i := range all {
			if k.fits(&all[i]) && (best == nil || slices.Compare(rank(&all[i]), rank(best)) < 0) {
				best = &all[i]
			}
		}
		if best == nil {
			return out
		}
		k.take(best)
		out = append(out, best.instance.ContainerInstanceArn)
	}
	return out
}

// same reports whether two instances are in one group of the leading spreads.
func same(a, b *ecs.Instance, fields []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool {
		name := strings.TrimPrefix(f, "attribute:")
		x, _ := a.Attribute(name)
		y, _ := b.Attribute(name)
		return x != y
	})
}

func randomYard(t *rapid.T) *yard {
	y := newYard()
	y.own = "g"
	for range rapid.IntRange(0, 8).Draw(t, "instances") {
		i := y.add(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "zone"), rapid.IntRange(0, 8).Draw(t, "cpu")*100, rapid.IntRange(0, 8).Draw(t, "memory")*100)
		i.Registered.ENIs = rapid.IntRange(0, 4).Draw(t, "interfaces")
		i.Attributes = append(i.Attributes, types.Attribute{Name: aws.String("rack"), Value: aws.String(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "rack"))})
		if rapid.Bool().Draw(t, "turned") {
			slices.Reverse(i.Attributes)
		}
		i.Connected = rapid.IntRange(0, 9).Draw(t, "connected") > 0
		if rapid.IntRange(0, 9).Draw(t, "draining") == 0 {
			i.Status = ecs.Draining
		}
		if rapid.Bool().Draw(t, "others") {
			y.others[i.ContainerInstanceArn] = []string{"other"}
		}
		n := rapid.IntRange(0, 2).Draw(t, "group")
		y.group[i.ContainerInstanceArn] = n
		y.used[i.ContainerInstanceArn] = ecs.Resources{CPUUnits: 50 * n, MemoryMiB: 50 * n, PortsTCP: []int32{int32(80 + n)}, ENIs: min(n, i.Registered.ENIs)}
	}
	return y
}

func randomRequest(t *rapid.T) Request {
	r := Request{
		Count: rapid.IntRange(0, 12).Draw(t, "count"), Group: "g", Service: rapid.Bool().Draw(t, "service"), Seed: rapid.Uint64().Draw(t, "seed"),
		Reserve: ecs.Resources{CPUUnits: rapid.IntRange(0, 3).Draw(t, "cpu") * 100, MemoryMiB: rapid.IntRange(0, 3).Draw(t, "memory") * 100},
	}
	all := []types.PlacementStrategy{spreadZone, spreadHost, packMemory, packCPU, random, strategy(types.PlacementStrategyTypeSpread, "attribute:rack")}
	r.Strategy = rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(t, "strategy")
	if rapid.IntRange(0, 3).Draw(t, "port") == 0 {
		r.Reserve.PortsTCP = []int32{81}
	}
	if rapid.IntRange(0, 3).Draw(t, "distinct") == 0 {
		r.Constraints = append(r.Constraints, distinct)
	}
	if rapid.IntRange(0, 3).Draw(t, "member") == 0 {
		r.Constraints = append(r.Constraints, memberOf(rapid.SampledFrom([]string{
			"attribute:rack == 1", "not(task:group == g)", "task:group == other or attribute:rack != 1", "runningTasksCount < 2", "task:group !exists"}).Draw(t, "expression")))
	}
	if rapid.IntRange(0, 3).Draw(t, "interface") == 0 {
		r.Reserve.ENIs = 1
		r.Zones = rapid.SampledFrom([][]string{nil, {"a"}, {"c", "b"}}).Draw(t, "zones")
	}
	if rapid.IntRange(0, 9).Draw(t, "one zone") == 0 {
		r.Zone = "b"
	}
	return r
}

// TestLaws: nothing is overbooked, a port is held once, distinctInstance holds, a task is refused only if no instance fits, the same request
// has the same answer, and the answer is that of a slow search.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y, r := randomYard(t), randomRequest(t)
		p := Decide(y, r)
		if diff := cmp.Diff(reference(y, r), p.Placed); diff != "" {
			t.Fatalf("(-reference +got)\n%s", diff)
		}
		if diff := cmp.Diff(p, Decide(y, r)); diff != "" {
			t.Fatalf("not deterministic\n%s", diff)
		}
		if len(p.Placed)+p.Refused != r.Count {
			t.Fatalf("%d placed and %d refused of %d", len(p.Placed), p.Refused, r.Count)
		}
		placed := map[arn.Instance]int{}
		for _, i := range p.Placed {
			placed[i]++
		}
		for _, i := range y.instances {
			a := i.ContainerInstanceArn
			n := placed[a]
			if n == 0 {
				continue
			}
			used := y.used[a]
			if used.CPUUnits+n*r.Reserve.CPUUnits > i.Registered.CPUUnits || used.MemoryMiB+n*r.Reserve.MemoryMiB > i.Registered.MemoryMiB {
				t.Fatalf("%s is overbooked by %d tasks", a.ID(), n)
			}
			if used.ENIs+n*r.Reserve.ENIs > max(i.Registered.ENIs, used.ENIs) {
				t.Fatalf("%s has %d network interfaces more than it can", a.ID(), used.ENIs+n*r.Reserve.ENIs-i.Registered.ENIs)
			}
			if len(r.Zones) > 0 && !slices.Contains(r.Zones, i.Zone()) {
				t.Fatalf("%s is in zone %s, the subnets are in %v", a.ID(), i.Zone(), r.Zones)
			}
			if len(r.Reserve.PortsTCP) > 0 && (n > 1 || ecs.Collide(used.PortsTCP, r.Reserve.PortsTCP)) {
				t.Fatalf("a port of %s is held twice", a.ID())
			}
			if len(r.Constraints) > 0 && r.Constraints[0].Type == distinct.Type && (n > 1 || y.group[a] > 0) {
				t.Fatalf("distinctInstance: %d and %d tasks on %s", y.group[a], n, a.ID())
			}
			if why := notMember(y, r, i, n); why != "" {
				t.Fatalf("%s: %s", a.ID(), why)
			}
			if i.Status != ecs.Active || !i.Connected {
				t.Fatalf("%s takes no tasks", a.ID())
			}
		}
	})
}
