package controller

import (
	"fmt"
	"log/slog"
	"testing"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/provider"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

// One look of the pool at 10,000 tasks that wait, on 250 members with room for all of them: 125 Updates.
func BenchmarkPoolPlaces(b *testing.B) {
	const waiting, members, tasksEach = 10_000, 250, 40
	d := definition(b, farDefinition)
	for b.Loop() {
		b.StopTimer()
		s := statetest.Open(b, cluster(), d)
		c := &Pool{State: s, Rules: poolRules(), Log: slog.New(slog.DiscardHandler)}
		put := func(records []ecs.Record) {
			if err := s.Update(b.Context(), func(tx *state.Tx) error {
				for _, r := range records {
					tx.Put(r)
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		for n := range members {
			put([]ecs.Record{poolInstance(provider.Order{ID: fmt.Sprintf("m%03d", n), Zone: "a", Architecture: "x86_64", CPUUnits: tasksEach * 1024, MemoryMiB: tasksEach * 2048}, true)})
		}
		var records []ecs.Record
		for n := range waiting {
			records = append(records, ecs.NewTask(ecs.TaskSpec{
				Task: demo.Task(fmt.Sprintf("t%05d", n)), Definition: d, Zone: "a", PlatformVersion: ecs.LinuxPlatform, Now: stamp(),
			}))
			if len(records) == budget {
				put(records)
				records = nil
			}
		}
		b.StartTimer()
		if _, err := c.reconcile(b.Context(), poolKey); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		placed := 0
		for i := range s.View().Instances.Under(string(arn.Pool.Instance("")), "") {
			placed += s.View().Tasks.Usage(i.ContainerInstanceArn).Tasks
		}
		if placed != waiting {
			b.Fatalf("%d tasks have a place, of %d", placed, waiting)
		}
		b.StartTimer()
	}
}
