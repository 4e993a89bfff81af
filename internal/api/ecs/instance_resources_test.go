package ecs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"berth/internal/ecs"
	"berth/internal/state"
)

// TestRemaining: what is left of an instance is what it registered less what its tasks reserve that have not stopped; ports are in use that it
// registered or a task holds.
func TestRemaining(t *testing.T) {
	p := newLaunchPad(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		ports := func(label string) []int32 {
			return slices.Sorted(slices.Values(rapid.SliceOfNDistinct(rapid.Int32Range(1, 9), 0, 5, rapid.ID[int32]).Draw(r, label)))
		}
		i := padInstance(fmt.Sprintf("r%d", run), "z", ecs.Active)
		i.Registered = ecs.Resources{CPUUnits: 4096, MemoryMiB: 4096, PortsTCP: ports("registered"), PortsUDP: ports("registered udp")}
		cpu, memory, tcp, udp := 4096, 4096, slices.Clone(i.Registered.PortsTCP), slices.Clone(i.Registered.PortsUDP)
		records := []ecs.Record{i}
		for n := range rapid.IntRange(0, 8).Draw(r, "tasks") {
			task := &ecs.Task{
				TaskArn: padCluster.Task(fmt.Sprintf("r%d-%d", run, n)), ContainerInstanceArn: i.ContainerInstanceArn, LastStatus: ecs.Running,
				Reserved: ecs.Resources{
					CPUUnits: rapid.IntRange(0, 500).Draw(r, "cpu"), MemoryMiB: rapid.IntRange(0, 500).Draw(r, "memory"),
					PortsTCP: ports("tcp"), PortsUDP: ports("udp"),
				},
			}
			records = append(records, task)
			if rapid.Bool().Draw(r, "stops") {
				stopped := task.Clone()
				stopped.Advance(ecs.Stopped)
				records = append(records, stopped)
				continue
			}
			cpu, memory = cpu-task.Reserved.CPUUnits, memory-task.Reserved.MemoryMiB
			tcp, udp = append(tcp, task.Reserved.PortsTCP...), append(udp, task.Reserved.PortsUDP...)
		}
		if err := p.store.Update(t.Context(), func(tx *state.Tx) error {
			for _, x := range records {
				tx.Put(x)
			}
			return nil
		}); err != nil {
			r.Fatal(err)
		}
		text := func(ports []int32) []string {
			slices.Sort(ports)
			out := []string{}
			for _, port := range slices.Compact(ports) {
				out = append(out, fmt.Sprint(port))
			}
			return out
		}
		got := instanceView(p.store.View().Tables, i, false).RemainingResources
		if int(got[0].IntegerValue) != cpu || int(got[1].IntegerValue) != memory {
			r.Errorf("left are %d CPU units and %d MiB, want %d and %d", got[0].IntegerValue, got[1].IntegerValue, cpu, memory)
		}
		if diff := cmp.Diff([][]string{text(tcp), text(udp)}, [][]string{got[2].StringSetValue, got[3].StringSetValue}); diff != "" {
			r.Error(diff)
		}
	})
}
