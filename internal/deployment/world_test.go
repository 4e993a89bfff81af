package deployment

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

var (
	demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")
	web  = demo.Service("web")
	noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
)

// world is a service with its tasks, as the store would hold them, and a clock.
type world struct {
	service  *ecs.Service
	tasks    []*ecs.Task
	draining map[arn.Task]bool
	now      time.Time
	events   []string
	made     int
	budget   int
	places   int // how many tasks there is room for; 0 is no bound
	zones    *atlas
	scaleIn  func(deployment string, n int) iter.Seq[*ecs.Task]
}

func newWorld(desired int, low, high int32, breaker types.DeploymentCircuitBreaker) *world {
	w := &world{now: noon, draining: map[arn.Task]bool{}, budget: 90}
	w.service = &ecs.Service{
		ServiceArn: web, Status: ecs.Active, DesiredCount: desired, CreatedAt: noon,
		DeploymentConfiguration: &types.DeploymentConfiguration{MinimumHealthyPercent: &low, MaximumPercent: &high, DeploymentCircuitBreaker: &breaker},
	}
	w.update("web:1")
	return w
}

// update starts a deployment, as UpdateService does.
func (w *world) update(definition string) {
	s := w.service.Clone()
	for i := range s.Deployments {
		s.Deployments[i].Status = ecs.DeploymentActive
	}
	w.made++
	id := fmt.Sprintf("ecs-svc/%d", w.made)
	d := ecs.Deployment{ID: id, Status: ecs.DeploymentPrimary, TaskDefinition: arn.TaskDefinition(definition), RolloutState: types.DeploymentRolloutStateInProgress}
	s.Deployments = append([]ecs.Deployment{d}, s.Deployments...)
	s.TaskDefinition = d.TaskDefinition
	w.service = s
}

func (w *world) counts(deployment string) (c ecs.Counts) {
	for _, t := range w.tasks {
		if t.StartedBy == deployment {
			c = c.Count(t, 1)
		}
	}
	return c
}

func (w *world) filter(keep func(*ecs.Task) bool) iter.Seq[*ecs.Task] {
	return func(yield func(*ecs.Task) bool) {
		for _, t := range slices.Clone(w.tasks) {
			if keep(t) && !yield(t) {
				return
			}
		}
	}
}

func (w *world) view() View {
	return View{
		Service: w.service, Counts: w.counts, Budget: w.budget, Zones: w.zones.view(w), ScaleIn: w.scaleIn,
		Wanted: func(id string) iter.Seq[*ecs.Task] {
			var list []*ecs.Task
			for t := range w.filter(func(t *ecs.Task) bool { return t.StartedBy == id && t.DesiredStatus == ecs.Running }) {
				list = append(list, t)
			}
			slices.SortStableFunc(list, func(a, b *ecs.Task) int {
				if rank(a) == guarded && rank(b) == guarded {
					return a.ProtectedUntil.Compare(*b.ProtectedUntil)
				}
				return rank(a) - rank(b)
			})
			return slices.Values(list)
		},
		Ended: w.filter(func(t *ecs.Task) bool { return t.Over() && !t.Counted }),
		Leaving: w.filter(func(t *ecs.Task) bool {
			return t.DesiredStatus == ecs.Running && w.draining[t.TaskArn]
		}),
	}
}

// guarded is the rank of a task that protection keeps.
const guarded = 3

func rank(t *ecs.Task) int {
	switch {
	case t.LastStatus != ecs.Running:
		return 0
	case t.HealthStatus == ecs.HealthUnhealthy:
		return 1
	case t.ProtectedUntil != nil:
		return guarded
	}
	return 2
}

// step decides once and applies the plan.
func (w *world) step() Plan {
	p := Decide(w.view(), w.now)
	if p.Service != nil {
		w.service = p.Service
	}
	for _, a := range p.Counted {
		w.task(a).Counted = true
	}
	for _, s := range p.Stop {
		w.task(s.Task).Stop(w.now, StopCode, s.Reason)
	}
	for range p.Start {
		if w.places > 0 && len(w.live()) >= w.places {
			p.Start, p.More = 0, false // as the controller does: it waits until there is room
			break
		}
		w.start(w.service.Primary())
	}
	for _, set := range p.Sets {
		for range set.Start {
			w.start(w.service.Deployment(set.TaskSet))
		}
	}
	w.zones.start(w, &p)
	w.events = append(w.events, p.Events...)
	return p
}

func (w *world) start(d *ecs.Deployment) {
	w.made++
	w.tasks = append(w.tasks, &ecs.Task{
		TaskArn: demo.Task(fmt.Sprintf("t%d", w.made)), Service: web, StartedBy: d.ID, TaskDefinitionArn: d.TaskDefinition,
		DesiredStatus: ecs.Running, LastStatus: ecs.Pending, CreatedAt: w.now, AvailabilityZone: w.zones.lightest(w),
	})
}

// settle steps until nothing is left to do now.
func (w *world) settle() (plans []Plan) {
	for range 1000 {
		p := w.step()
		if p.Empty() && !p.More {
			return plans
		}
		plans = append(plans, p)
	}
	panic("the decision never comes to rest: " + plans[len(plans)-1].String())
}

func (w *world) task(a arn.Task) *ecs.Task {
	for _, t := range w.tasks {
		if t.TaskArn == a {
			return t
		}
	}
	return nil
}

// live lists the tasks that have not stopped.
func (w *world) live() (out []*ecs.Task) {
	for _, t := range w.tasks {
		if !t.Over() {
			out = append(out, t)
		}
	}
	return out
}

// react makes a task's agent report: what is stopping stops, what is pending runs, or fails if its definition is bad.
func (w *world) react(t *ecs.Task, bad bool) {
	now := w.now
	switch {
	case t.DesiredStatus == ecs.Stopped:
		t.Advance(ecs.Stopped)
		t.StoppedAt = &now
	case t.LastStatus == ecs.Pending && bad:
		t.Stop(now, types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError: not found")
		t.Advance(ecs.Stopped)
		t.StoppedAt = &now
	case t.LastStatus == ecs.Pending:
		t.Advance(ecs.Running)
		t.StartedAt = &now
	}
}

func (w *world) exit(t *ecs.Task) {
	now := w.now
	t.Stop(now, types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
	t.Advance(ecs.Stopped)
	t.StoppedAt = &now
}
