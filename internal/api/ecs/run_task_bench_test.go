package ecs

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/placement"
)

// crowd is n connected container instances in three zones, with as many attributes as agents say.
func crowd(n int) (all []ecs.Record) {
	var capabilities []types.Attribute
	for c := range 70 {
		capabilities = append(capabilities, types.Attribute{Name: aws.String(fmt.Sprintf("ecs.capability.%d", c))})
	}
	for i := range n {
		x := padInstance(fmt.Sprintf("%032x", i), "us-east-1"+string(rune('a'+i%3)), ecs.Active)
		x.Registered = ecs.Resources{CPUUnits: 1 << 40, MemoryMiB: 1 << 40}
		x.Attributes = slices.Concat(x.Attributes, capabilities)
		all = append(all, x)
	}
	return all
}

// processorTime reports what an operation takes of the processors, the collector's part included: that says more than the clock where others
// work on the same machine.
func processorTime(b *testing.B) (report func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.ReportAllocs()
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Microseconds())/float64(b.N), "cpu-us/op") }
}

// BenchmarkRunTaskBySize is one call of RunTask, from JSON to JSON over a store in memory, and the part of it that decides where the tasks go:
// where a strategy orders the instances, that part reads every one of the cluster.
func BenchmarkRunTaskBySize(b *testing.B) {
	strategies := []struct {
		name, json string
		chain      []types.PlacementStrategy
	}{
		{"random", "", nil},
		{"binpack", `,"placementStrategy":[{"type":"binpack","field":"memory"}]`,
			[]types.PlacementStrategy{{Type: types.PlacementStrategyTypeBinpack, Field: aws.String("memory")}}},
		{"zones", `,"placementStrategy":[{"type":"spread","field":"attribute:ecs.availability-zone"}]`,
			[]types.PlacementStrategy{{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:" + ecs.AttributeZone)}}},
	}
	for _, instances := range []int{100, 1000, 5000} {
		for _, count := range []int{1, 10} {
			for _, s := range strategies {
				name := fmt.Sprintf("%dinstances/%dtasks/%s", instances, count, s.name)
				p := newLaunchPad(b, crowd(instances)...)
				body := fmt.Sprintf(`{"cluster":"demo","taskDefinition":"web","count":%d%s}`, count, s.json)
				b.Run(name+"/call", func(b *testing.B) {
					defer processorTime(b)()
					for b.Loop() {
						if _, err := p.ask(b, "ADMIN", "RunTask", body); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.Run(name+"/decide", func(b *testing.B) {
					fleet := p.store.View().Fleet(padCluster)
					r := placement.Request{Count: count, Group: "family:web", Strategy: s.chain, Reserve: ecs.Resources{CPUUnits: 256, MemoryMiB: 300}}
					defer processorTime(b)()
					for b.Loop() {
						if r.Seed++; !placement.Populated(fleet) || placement.Decide(fleet, r).Refused > 0 {
							b.Fatal("not placed")
						}
					}
				})
			}
		}
	}
}
