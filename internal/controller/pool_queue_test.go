package controller

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/provider"
	"berth/internal/state"
)

// A look goes over the tasks that wait once, and takes what has become of them meanwhile: those that have ended or have a place stay as they are.
func TestPoolQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFargate(t)
		f.wait(budget+10, "a")
		f.wait(3, "nowhere")
		f.wait(4, "b", onSpot)
		for n, zone := range []string{"a", "a", "b"} {
			f.put(poolInstance(provider.Order{ID: fmt.Sprint("m", n), Zone: zone, Architecture: "x86_64", CPUUnits: 100 * 1024, MemoryMiB: 100 * 2048}, true))
		}
		q := waitingTasks(f.s.View().Tables)
		var ended, moved *ecs.Task
		for x := range f.s.View().Tasks.Waiting() {
			if ended == nil {
				ended = x.Clone()
				ended.Stop(stamp(), types.TaskStopCodeUserInitiated, "")
			} else if moved == nil {
				moved = x.Clone()
				moved.ContainerInstanceArn = arn.Pool.Instance("elsewhere")
			}
		}
		f.put(ended, moved)
		meanwhile := f.s.View()
		updates := 0
		for ; len(q.kinds) > 0 && updates < 10; updates++ {
			before, changed := f.s.View(), 0
			if err := f.s.Update(t.Context(), func(tx *state.Tx) error { q.place(tx, stamp()); return nil }); err != nil {
				t.Fatal(err)
			}
			for x := range f.s.View().Tasks.All() {
				if before.Tasks.Get(x.TaskArn) != x {
					changed++
				}
			}
			if changed > budget {
				t.Errorf("an Update changes %d tasks", changed)
			}
		}
		if updates != 2 {
			t.Errorf("%d Updates, want 2", updates)
		}
		for _, x := range []*ecs.Task{ended, moved} {
			if f.s.View().Tasks.Get(x.TaskArn) != meanwhile.Tasks.Get(x.TaskArn) {
				t.Errorf("%s was touched", x.TaskArn)
			}
		}
		f.want(3, budget+9+4, 0, 3, 0)
	})
}
