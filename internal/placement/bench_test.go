package placement

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// fleetOf is n equal instances in three zones, with as many attributes as agents say and, behind those, a rack of 50 and a stack of 2.
func fleetOf(n int) *yard {
	y := newYard()
	var capabilities []types.Attribute
	for c := range 70 {
		capabilities = append(capabilities, types.Attribute{Name: aws.String(fmt.Sprintf("ecs.capability.%d", c))})
	}
	for i := range n {
		x := y.add(string(rune('a'+i%3)), 1<<20, 1<<20)
		x.Attributes = append(slices.Concat(x.Attributes, capabilities), types.Attribute{Name: aws.String("rack"), Value: aws.String(fmt.Sprint(i % 50))},
			types.Attribute{Name: aws.String("stack"), Value: aws.String([]string{"prod", "test"}[i/50%2])})
	}
	return y
}

// spreadOfMembers is spread over three attributes, on instances that several expressions choose.
var spreadOfMembers = Request{
	Service: true,
	Strategy: []types.PlacementStrategy{
		spreadZone, strategy(types.PlacementStrategyTypeSpread, "attribute:stack"), strategy(types.PlacementStrategyTypeSpread, "attribute:rack"), packMemory,
	},
	Constraints: []types.PlacementConstraint{
		memberOf("attribute:rack =~ [0-9]+ and attribute:stack in [prod, test]"), memberOf("not(task:group == database) and attribute:ecs.availability-zone != d"),
	},
}

func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name             string
		tasks, instances int
		r                Request
	}{
		{"binpack/100000on5000", 100_000, 5000, Request{Strategy: []types.PlacementStrategy{packMemory}}},
		{"zones/100000on5000", 100_000, 5000, Request{Service: true}},
		{"random/100000on5000", 100_000, 5000, Request{}},
		{"member/100000on5000", 100_000, 5000, spreadOfMembers},
		{"antiAffinity/4000on5000", 4000, 5000, Request{Service: true, Constraints: []types.PlacementConstraint{memberOf("not(task:group == service:web)")}}},
		{"member/80on5000", 80, 5000, spreadOfMembers},
		{"random/1on1000", 1, 1000, Request{}},
		{"random/1on5000", 1, 5000, Request{}},
		{"zones/80on1000", 80, 1000, Request{Service: true}},
		{"zones/80on5000", 80, 5000, Request{Service: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			y := fleetOf(c.instances)
			c.r.Count, c.r.Group, c.r.Reserve = c.tasks, "service:web", ecs.Resources{CPUUnits: 256, MemoryMiB: 512}
			b.ReportAllocs()
			for b.Loop() {
				if p := Decide(y, c.r); p.Refused > 0 {
					b.Fatal(p.Refused)
				}
			}
			b.ReportMetric(float64(c.tasks*b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// TestLookAllocatesNothingForAnInstance: what a look at a fleet allocates does not grow with each instance, but for the lists that it fills.
func TestLookAllocatesNothingForAnInstance(t *testing.T) {
	const instances = 1000
	y, r := fleetOf(instances), Request{Service: true, Count: 1, Reserve: ecs.Resources{CPUUnits: 256, MemoryMiB: 512}}
	for name, look := range map[string]func(){
		"Decide": func() { Decide(y, r) },
		"Survey": func() {
			for range Survey(y, r) {
			}
		},
	} {
		if n := testing.AllocsPerRun(10, look); n > instances/4 {
			t.Errorf("%s of %d instances allocates %v times", name, instances, n)
		}
	}
}
