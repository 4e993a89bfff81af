package deployment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// newSets is a service with the deployment controller EXTERNAL, without a task set.
func newSets(desired int) *world {
	w := newWorld(desired, 100, 200, types.DeploymentCircuitBreaker{})
	w.service.Deployments = nil
	w.service.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
	return w
}

// add makes a task set, and returns its id.
func (w *world) add(definition string, scale float64) string {
	w.made++
	s := w.service.Clone()
	d := s.AddTaskSet(ecs.Deployment{
		ID: fmt.Sprintf("ecs-svc/%d", w.made), TaskDefinition: arn.TaskDefinition(definition), TaskSet: &ecs.TaskSet{Scale: scale},
	}, w.now)
	w.service = s
	return d.ID
}

// change changes a task set as its operations do.
func (w *world) change(id string, do func(set *ecs.Deployment)) {
	s := w.service.Clone()
	do(s.Deployment(id))
	w.service = s
}

func (w *world) rescale(id string, scale float64) {
	w.change(id, func(set *ecs.Deployment) { set.TaskSet.Scale = scale })
}

func (w *world) remove(id string) {
	w.change(id, func(set *ecs.Deployment) { set.Status = ecs.Draining })
}

// sets reads like "web:1 2/2 STEADY_STATE; web:2 0/1 STABILIZING": tasks that should run of those that are wanted.
func (w *world) sets() string {
	var out []string
	for _, set := range w.service.Deployments {
		c := w.counts(set.ID)
		out = append(out, fmt.Sprintf("%s %d/%d %s", set.TaskDefinition, c.WantPending+c.WantRunning, set.DesiredCount, set.TaskSet.StabilityStatus))
	}
	return strings.Join(out, "; ")
}

func (w *world) wantSets(t *testing.T, want string) {
	t.Helper()
	if got := w.sets(); got != want {
		t.Errorf("task sets are %q, want %q", got, want)
	}
}

// work lets agents report until nothing moves.
func (w *world) work() {
	for range 50 {
		w.settle()
		moved := false
		for _, t := range w.live() {
			before := t.LastStatus
			w.react(t, false)
			moved = moved || t.LastStatus != before
		}
		if !moved {
			return
		}
	}
	panic("never at rest: " + w.sets())
}

func TestTaskSetsFollowTheirScales(t *testing.T) {
	w := newSets(4)
	w.settle()
	if len(w.events) > 0 || len(w.live()) > 0 {
		t.Errorf("a service without task sets said %q and has %d tasks", w.events, len(w.live()))
	}
	blue := w.add("web:1", 100)
	w.settle()
	w.wantSets(t, "web:1 4/4 STABILIZING")
	w.work()
	w.wantSets(t, "web:1 4/4 STEADY_STATE")
	green := w.add("web:2", 30)
	w.work()
	w.wantSets(t, "web:1 4/4 STEADY_STATE; web:2 2/2 STEADY_STATE") // 1.2 is two tasks
	w.rescale(green, 100)
	w.rescale(blue, 0)
	w.work()
	w.wantSets(t, "web:1 0/0 STEADY_STATE; web:2 4/4 STEADY_STATE")
	w.scale(6)
	w.work()
	w.wantSets(t, "web:1 0/0 STEADY_STATE; web:2 6/6 STEADY_STATE")
	w.remove(blue)
	w.work()
	w.wantSets(t, "web:2 6/6 STEADY_STATE")
	w.remove(green)
	w.settle()
	w.wantSets(t, "web:2 0/0 STABILIZING")
	w.work()
	w.wantSets(t, "")
	if w.service.SteadyAt != nil || w.service.Status != ecs.Active {
		t.Errorf("without task sets it is %s, steady since %v", w.service.Status, w.service.SteadyAt)
	}
}

func TestTaskSetsSayWhatTheyDo(t *testing.T) {
	w := newSets(1)
	id := w.add("web:1", 0)
	w.work()
	w.rescale(id, 50)
	w.work()
	w.rescale(id, 0)
	w.work()
	want := []string{
		"(service web, taskSet ecs-svc/2) updated state to STEADY_STATE.",
		"(service web) has reached a steady state.",
		"(service web) updated computedDesiredCount for taskSet ecs-svc/2 to 1.",
		"(service web, taskSet ecs-svc/2) updated state to STEADY_STATE.",
		"(service web) has reached a steady state.",
		"(service web) updated computedDesiredCount for taskSet ecs-svc/2 to 0.",
		"(service web, taskSet ecs-svc/2) has stopped 1 running tasks: (task t3).",
		"(service web, taskSet ecs-svc/2) updated state to STEADY_STATE.",
		"(service web) has reached a steady state.",
	}
	if !slices.Equal(w.events, want) {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(w.events, "\n"), strings.Join(want, "\n"))
	}
}

func TestTaskSetWhileAnInstanceDrains(t *testing.T) {
	w := newSets(2)
	w.add("web:1", 100)
	w.work()
	leaving := w.live()[0]
	w.draining[leaving.TaskArn] = true
	w.settle()
	if c := w.counts(leaving.StartedBy); c.WantPending != 1 || c.WantRunning != 2 || leaving.DesiredStatus != ecs.Running {
		t.Errorf("before its replacement runs: %+v", c)
	}
	w.wantSets(t, "web:1 3/2 STABILIZING")
	w.work()
	if leaving.DesiredStatus != ecs.Stopped {
		t.Error("the task stays on a draining instance")
	}
	w.wantSets(t, "web:1 2/2 STEADY_STATE")
}

func TestTaskSetReplacesTheUnhealthyAndKeepsTheProtected(t *testing.T) {
	w := newSets(3)
	id := w.add("web:1", 100)
	w.work()
	sick, kept := w.live()[0], w.live()[1]
	sick.HealthStatus = ecs.HealthUnhealthy
	w.work()
	if sick.StoppedReason != reasonUnhealthy {
		t.Errorf("the unhealthy one has %q", sick.StoppedReason)
	}
	w.protect(kept, time.Hour)
	w.rescale(id, 0)
	w.work()
	if got := w.saidOfProtection(); len(w.live()) != 1 || !slices.Equal(got, []string{unableToScaleIn(id, 1)}) {
		t.Errorf("%d tasks left, said %q", len(w.live()), got)
	}
	w.remove(id)
	w.work()
	if len(w.live()) != 0 {
		t.Error("a deleted task set keeps a protected task")
	}
}

func TestTaskSetThatFailsIsThrottledAloneNextToOneThatWorks(t *testing.T) {
	w := newSets(2)
	bad := w.add("web:1", 100)
	for range 6 {
		w.settle()
		for _, x := range w.live() {
			w.react(x, x.StartedBy == bad)
		}
		w.now = w.now.Add(5 * time.Second)
	}
	w.settle()
	if d := w.service.Deployment(bad); d.Failures < 3 || d.NextStartAt == nil || d.FailedTasks == 0 {
		t.Fatalf("not throttled: %+v", d)
	}
	w.add("web:2", 100)
	w.work()
	w.wantSets(t, "web:1 0/2 STABILIZING; web:2 2/2 STEADY_STATE")
	if !strings.Contains(strings.Join(w.events, "\n"), "is unable to consistently start tasks successfully") || w.service.SteadyAt != nil {
		t.Errorf("steady %v, said %q", w.service.SteadyAt, w.events)
	}
}

// TestServiceOfTaskSetsDrains: DeleteService with force.
func TestServiceOfTaskSetsDrains(t *testing.T) {
	w := newSets(2)
	w.add("web:1", 100)
	w.add("web:2", 100)
	w.work()
	s := w.service.Clone()
	s.Status = ecs.Draining
	w.service = s
	w.work()
	if len(w.live()) != 0 || w.service.Status != ecs.Inactive || w.service.Deployments != nil {
		t.Errorf("%d tasks left, %s, %v", len(w.live()), w.service.Status, w.service.Deployments)
	}
}

// TestTaskSetsComeToRest: whatever their user does, in the end each has what its scale says, within any budget.
func TestTaskSetsComeToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newSets(rapid.IntRange(0, 20).Draw(t, "desired"))
		w.budget = rapid.SampledFrom([]int{2, 7, 90}).Draw(t, "budget")
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			var ids []string
			for _, set := range w.service.Deployments {
				if set.Status != ecs.Draining {
					ids = append(ids, set.ID)
				}
			}
			scale := rapid.SampledFrom([]float64{0, 0.1, 12.5, 33.3, 50, 100}).Draw(t, "scale")
			switch do := rapid.IntRange(0, 6).Draw(t, "do"); {
			case len(ids) == 0 || do == 0 && len(w.service.Deployments) < ecs.MostTaskSets:
				w.add("web:1", scale)
			case do == 1:
				w.remove(rapid.SampledFrom(ids).Draw(t, "set"))
			case do == 2:
				w.rescale(rapid.SampledFrom(ids).Draw(t, "set"), scale)
			case do == 3:
				w.scale(rapid.IntRange(0, 20).Draw(t, "desired"))
			case do == 4 && len(w.live()) > 0:
				w.exit(rapid.SampledFrom(w.live()).Draw(t, "task"))
			case do == 5 && len(w.live()) > 0:
				w.draining[rapid.SampledFrom(w.live()).Draw(t, "task").TaskArn] = true
			default:
				w.step()
				for _, x := range w.live() {
					w.react(x, false)
				}
			}
		}
		for range 40 { // throttled ones too
			w.work()
			w.now = w.now.Add(time.Minute)
		}
		for _, set := range w.service.Deployments {
			c, want := w.counts(set.ID), w.service.Computed(set.TaskSet.Scale)
			if set.Status == ecs.Draining || set.TaskSet.StabilityStatus != types.StabilityStatusSteadyState || c.Running != want || c.Tasks() != want {
				t.Fatalf("%s of %d desired, want %d of %s: %+v", w.sets(), w.service.DesiredCount, want, set.ID, c)
			}
		}
	})
}
