package state

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
)

var fleetCluster = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")

// addInstances puts n connected instances in three zones into the tables, each with as many attributes as an agent has.
func addInstances(t *Tables, n int, size ecs.Resources) {
	for i := range n {
		x := &ecs.Instance{ContainerInstanceArn: fleetCluster.Instance(fmt.Sprintf("%032x", i)), Status: ecs.Active, Connected: true, Registered: size}
		for a := range 50 {
			x.Attributes = append(x.Attributes, types.Attribute{Name: aws.String(fmt.Sprintf("ecs.capability.number-%d", a))})
		}
		x.Attributes = append(x.Attributes, types.Attribute{Name: aws.String(ecs.AttributeZone), Value: aws.String(string(rune('a' + i%3)))})
		t.put(x, false)
	}
}

// start places tasks and stores them, as a closure of Update does. next numbers them.
func start(t *Tables, r placement.Request, next *int) placement.Plan {
	p := placement.Decide(t.Fleet(fleetCluster), r)
	for _, i := range p.Placed {
		*next++
		t.put(&ecs.Task{
			TaskArn: fleetCluster.Task(fmt.Sprintf("%032x", *next)), ContainerInstanceArn: i, Group: r.Group, Reserved: r.Reserve,
			DesiredStatus: ecs.Running, LastStatus: ecs.Pending,
		}, false)
	}
	return p
}

// TestFleetIsNeverOverbooked starts and stops tasks at random (I3): reservations stay within what is registered, a port is held once, and
// what one decision placed the next one sees.
func TestFleetIsNeverOverbooked(t *testing.T) {
	size := ecs.Resources{CPUUnits: 1024, MemoryMiB: 2000, PortsTCP: []int32{22}}
	rapid.Check(t, func(t *rapid.T) {
		tables, next := newTables(), 0
		addInstances(tables, rapid.IntRange(1, 4).Draw(t, "instances"), size)
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if x := rapid.IntRange(1, 30).Draw(t, "stop"); rapid.Bool().Draw(t, "stops") {
				if old := tables.Tasks.Get(fleetCluster.Task(fmt.Sprintf("%032x", x))); old != nil {
					c := old.Clone()
					c.LastStatus, c.DesiredStatus = ecs.Stopped, ecs.Stopped
					tables.put(c, false)
				}
				continue
			}
			r := placement.Request{Count: rapid.IntRange(1, 5).Draw(t, "count"), Group: "g", Service: rapid.Bool().Draw(t, "service")}
			r.Reserve = ecs.Resources{CPUUnits: 128 * rapid.IntRange(0, 4).Draw(t, "cpu"), MemoryMiB: 100 * rapid.IntRange(0, 9).Draw(t, "memory")}
			if rapid.Bool().Draw(t, "port") {
				r.Reserve.PortsTCP = []int32{rapid.SampledFrom([]int32{22, 80, 81}).Draw(t, "number")}
			}
			start(tables, r, &next)
			checkBooked(t, tables, size)
		}
	})
}

func checkBooked(t *rapid.T, tables *Tables, size ecs.Resources) {
	for i := range tables.Instances.All() {
		cpu, mib, held := 0, 0, map[int32]bool{22: true}
		for x := range tables.Tasks.OnInstance(i.ContainerInstanceArn) {
			cpu, mib = cpu+x.Reserved.CPUUnits, mib+x.Reserved.MemoryMiB
			for _, p := range x.Reserved.PortsTCP {
				if held[p] {
					t.Fatalf("port %d of %s is held twice", p, i.ContainerInstanceArn.ID())
				}
				held[p] = true
			}
		}
		if cpu > size.CPUUnits || mib > size.MemoryMiB {
			t.Fatalf("%s is overbooked: %d CPU units, %d MiB", i.ContainerInstanceArn.ID(), cpu, mib)
		}
	}
}

// BenchmarkFleet places 80 tasks at a time by the tables themselves, as the service controller does in each Update, and stores them.
func BenchmarkFleet(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		for _, stored := range []bool{false, true} {
			b.Run(fmt.Sprintf("80on%d/stored=%v", n, stored), func(b *testing.B) {
				tables, next := newTables(), 0
				addInstances(tables, n, ecs.Resources{CPUUnits: 1 << 40, MemoryMiB: 1 << 40})
				r := placement.Request{Count: 80, Group: "service:web", Service: true, Reserve: ecs.Resources{CPUUnits: 1, MemoryMiB: 1}}
				for range n / 40 { // two tasks on each instance before
					start(tables, r, &next)
				}
				for b.Loop() {
					if stored {
						start(tables, r, &next)
					} else {
						placement.Decide(tables.Fleet(fleetCluster), r)
					}
				}
				b.ReportMetric(float64(80*b.N)/b.Elapsed().Seconds(), "tasks/s")
			})
		}
	}
}

// TestRoomsAgreeWithRoom compares the pass over the fleet with a look at each instance.
func TestRoomsAgreeWithRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := newTables()
		addInstances(tables, rapid.IntRange(0, 9).Draw(t, "instances"), ecs.Resources{CPUUnits: 9999, MemoryMiB: 9999})
		for n := range rapid.IntRange(0, 20).Draw(t, "tasks") {
			tables.put(&ecs.Task{
				TaskArn: fleetCluster.Task(fmt.Sprintf("%032x", n)), Group: rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(t, "group"),
				ContainerInstanceArn: fleetCluster.Instance(fmt.Sprintf("%032x", rapid.IntRange(0, 9).Draw(t, "on"))),
				Reserved:             ecs.Resources{CPUUnits: n}, DesiredStatus: rapid.SampledFrom([]ecs.TaskStatus{ecs.Running, ecs.Stopped}).Draw(t, "desired"),
				LastStatus: ecs.Pending,
			}, false)
		}
		f, seen := tables.Fleet(fleetCluster), 0
		for _, group := range []string{"a", "ab", "b", "c"} {
			for r := range f.Rooms(group) {
				seen++
				if want := f.Room(group, r.Instance); !reflect.DeepEqual(r, want) {
					t.Fatalf("group %s: the pass says %+v, the look %+v", group, r, want)
				}
			}
		}
		if seen != 4*tables.Instances.Len() {
			t.Fatalf("%d rooms of %d instances in 4 passes", seen, tables.Instances.Len())
		}
	})
}

// TestFleetKnowsGroups: by the tables, an affinity follows tasks that should run, and forgets those that should stop.
func TestFleetKnowsGroups(t *testing.T) {
	tables, next := newTables(), 0
	addInstances(tables, 3, ecs.Resources{CPUUnits: 9999, MemoryMiB: 9999})
	on := func(expression string) (ids string) {
		r := placement.Request{Count: 1, Group: "web", Constraints: []types.PlacementConstraint{
			{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}}}
		for _, v := range placement.Explain(tables.Fleet(fleetCluster), r) {
			if v.Reason == placement.None {
				ids += v.Instance.ID()[31:]
			}
		}
		return ids
	}
	first := fleetCluster.Instance(fmt.Sprintf("%032x", 0))
	start(tables, placement.Request{Count: 1, Group: "db", Constraints: []types.PlacementConstraint{
		{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("attribute:ecs.availability-zone == a")}}}, &next)
	for expression, want := range map[string]string{
		"task:group == db": "0", "not(task:group == db)": "12", "task:group =~ d.": "0", "task:group !exists": "12", "runningTasksCount == 0": "012",
	} {
		if got := on(expression); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
	for x := range tables.Tasks.OnInstance(first) {
		running := x.Clone()
		running.Advance(ecs.Running)
		tables.put(running, false)
		if got := on("runningTasksCount == 1"); got != "0" {
			t.Errorf("one runs on %q", got)
		}
		stopping := running.Clone()
		stopping.DesiredStatus = ecs.Stopped
		tables.put(stopping, false)
	}
	if got := on("task:group == db"); got != "" {
		t.Errorf("a stopping task is still on %q", got)
	}
	if got := on("task:group !exists"); got != "012" {
		t.Errorf("only %q are empty", got)
	}
}

// TestFleetByNumber: instances have the numbers of their order, those of other clusters none.
func TestFleetByNumber(t *testing.T) {
	tables := newTables()
	for _, name := range []string{"a", "demo", "demo2", "z"} {
		for i := range 70 {
			x := &ecs.Instance{ContainerInstanceArn: arn.ScopeOf(fleetCluster).Cluster(name).Instance(fmt.Sprintf("%032x", i*7919%1000)), Status: ecs.Active, Connected: true}
			if i%5 == 0 {
				x.Status = ecs.Inactive
			}
			tables.put(x, false)
		}
	}
	for _, name := range []string{"a", "demo", "demo2", "z", "nobody"} {
		f := tables.Fleet(arn.ScopeOf(fleetCluster).Cluster(name))
		var want, got []arn.Instance
		for r := range f.Rooms("") {
			want = append(want, r.Instance.ContainerInstanceArn)
		}
		n, room := f.Draw("")
		for i := range n {
			if r, ok := room(i); ok {
				got = append(got, r.Instance.ContainerInstanceArn)
			}
		}
		if !slices.Equal(got, want) || name != "nobody" && (n != 70 || len(want) != 56) {
			t.Errorf("%s: %d numbers, %d of %d instances", name, n, len(got), len(want))
		}
	}
}
