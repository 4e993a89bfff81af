package deployment

import (
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// oldestFirst is a service of n running tasks whose placement would have the oldest stop first.
func oldestFirst(n int) *world {
	w := newWorld(n, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	w.scaleIn = func(deployment string, n int) iter.Seq[*ecs.Task] {
		return w.filter(func(t *ecs.Task) bool {
			return t.StartedBy == deployment && t.Healthy() && t.DesiredStatus == ecs.Running && !t.Protected(w.now)
		})
	}
	return w
}

// left are the ids of the tasks that go on.
func (w *world) left() (out []string) {
	for _, t := range w.live() {
		if t.DesiredStatus == ecs.Running {
			out = append(out, t.TaskArn.ID())
		}
	}
	return out
}

func (w *world) wantLeft(t *testing.T, want ...string) {
	t.Helper()
	if got := w.left(); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}

func TestScaleInFollowsPlacement(t *testing.T) {
	for _, budget := range []int{2, 90} {
		w := oldestFirst(8) // t2 ... t9
		w.budget = budget
		w.scale(3)
		w.run(nil)
		w.wantLeft(t, "t7", "t8", "t9")
	}
}

// TestScaleInBeginsWithWhatDoesNotWork: whatever placement says of the others.
func TestScaleInBeginsWithWhatDoesNotWork(t *testing.T) {
	w := oldestFirst(4)
	w.scale(6)
	w.settle() // t6 and t7 are on their way
	w.scale(3)
	w.settle()
	w.wantLeft(t, "t3", "t4", "t5")
}

func TestScaleInPassesProtectedTasksOver(t *testing.T) {
	w := oldestFirst(4)
	w.protect(w.live()[0], time.Hour)
	w.protect(w.live()[1], time.Hour)
	w.scale(2)
	w.run(nil)
	w.wantLeft(t, "t2", "t3")
	w.scale(1)
	w.settle()
	w.wantLeft(t, "t2", "t3")
	if said := w.saidOfProtection(); !slices.Equal(said, []string{unableToScaleIn("ecs-svc/1", 1)}) {
		t.Errorf("said %q", said)
	}
}

// TestScaleInWhereTheOrderIsShort: what it does not name stops all the same, each task once.
func TestScaleInWhereTheOrderIsShort(t *testing.T) {
	w := oldestFirst(6)
	all := w.scaleIn
	w.scaleIn = func(deployment string, n int) iter.Seq[*ecs.Task] {
		return func(yield func(*ecs.Task) bool) {
			for x := range all(deployment, n) {
				yield(x)
				return
			}
		}
	}
	w.scale(2)
	p := w.step()
	if len(p.Stop) != 4 || p.Stop[0].Task.ID() != "t2" {
		t.Errorf("stops %v", p.Stop)
	}
	if got := w.left(); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
}
