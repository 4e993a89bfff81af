package deployment

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"berth/internal/ecs"
)

// reactAll lets every live task's agent report once.
func (w *world) reactAll(bad func(*ecs.Task) bool) {
	for _, t := range w.live() {
		w.react(t, bad != nil && bad(t))
	}
	w.now = w.now.Add(time.Second)
}

// run plays until the service rests with nothing left to report, and returns how many rounds that took.
func (w *world) run(bad func(*ecs.Task) bool) int {
	for n := range 200 {
		w.settle()
		before := len(w.events)
		w.reactAll(bad)
		w.settle()
		if len(w.events) != before || !w.quiet() {
			continue
		}
		next := Decide(w.view(), w.now).Again
		if next.IsZero() || next.Sub(w.now) > time.Hour {
			return n
		}
		w.now = next // wait out a back-off
	}
	return -1
}

func (w *world) quiet() bool {
	for _, t := range w.live() {
		if t.LastStatus != ecs.Running || t.DesiredStatus != ecs.Running {
			return false
		}
	}
	return true
}

func (w *world) said(text string) bool {
	return strings.Contains(strings.Join(w.events, "\n"), text)
}

func isBad(t *ecs.Task) bool { return strings.HasSuffix(string(t.TaskDefinitionArn), ":bad") }

func TestNewServiceReachesItsCount(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	p := w.service.Primary()
	if p.RolloutState != types.DeploymentRolloutStateCompleted || w.counts(p.ID).WantHealthy != 3 {
		t.Errorf("%+v, %+v", p, w.counts(p.ID))
	}
	if !w.said("(deployment "+p.ID+") deployment completed.") || !w.said("(service web) has reached a steady state.") {
		t.Errorf("events %q", w.events)
	}
}

func TestUpdateReplacesEveryTask(t *testing.T) {
	for _, c := range []struct{ low, high int32 }{{100, 200}, {50, 100}, {0, 100}, {100, 134}, {66, 150}} {
		w := newWorld(3, c.low, c.high, types.DeploymentCircuitBreaker{})
		w.run(nil)
		w.update("web:2")
		if w.run(nil) < 0 {
			t.Fatalf("%v: never came to rest", c)
		}
		if len(w.service.Deployments) != 1 || len(w.live()) != 3 {
			t.Errorf("%v: %d deployments, %d tasks", c, len(w.service.Deployments), len(w.live()))
		}
		for _, x := range w.live() {
			if x.TaskDefinitionArn != "web:2" {
				t.Errorf("%v: %s is left", c, x.TaskDefinitionArn)
			}
		}
	}
}

// TestUpdateOfAFullCluster: there is room for some of the new tasks only, and more are missing than one decision may start. Those that find
// no place must not keep old ones from stopping.
func TestUpdateOfAFullCluster(t *testing.T) {
	w := newWorld(100, 100, 200, types.DeploymentCircuitBreaker{})
	w.budget, w.places = 8, 110
	w.run(nil)
	w.update("web:2")
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	if len(w.service.Deployments) != 1 || len(w.live()) != 100 {
		t.Errorf("%d deployments, %d tasks", len(w.service.Deployments), len(w.live()))
	}
}

func TestBlockedByPercentages(t *testing.T) {
	w := newWorld(3, 100, 100, types.DeploymentCircuitBreaker{})
	w.run(nil)
	w.update("web:2")
	w.run(nil)
	if !w.said("was unable to stop or start tasks during a deployment because of the service deployment configuration.") {
		t.Errorf("events %q", w.events)
	}
	if len(w.service.Deployments) != 2 || len(w.live()) != 3 {
		t.Errorf("%d deployments, %d tasks", len(w.service.Deployments), len(w.live()))
	}
}

func TestBreakerRollsBack(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{Enable: true, Rollback: true})
	w.run(isBad)
	first := w.service.Primary().ID
	w.update("web:bad")
	failed := w.service.Primary().ID
	if w.run(isBad) < 0 {
		t.Fatal("never came to rest")
	}
	p := w.service.Primary()
	if p.ID != first || p.RolloutState != types.DeploymentRolloutStateCompleted || len(w.service.Deployments) != 1 {
		t.Errorf("%+v", w.service.Deployments)
	}
	for _, want := range []string{"(deployment " + failed + ") deployment failed: tasks failed to start.", "rolling back to deployment " + first + "."} {
		if !w.said(want) {
			t.Errorf("%q not in %q", want, w.events)
		}
	}
	if w.service.TaskDefinition != "web:1" || len(w.live()) != 3 {
		t.Errorf("%s, %d tasks", w.service.TaskDefinition, len(w.live()))
	}
}

func TestBreakerWithoutRollbackStopsStarting(t *testing.T) {
	w := newWorld(2, 100, 200, types.DeploymentCircuitBreaker{Enable: true})
	w.run(isBad)
	w.update("web:bad")
	w.run(isBad)
	p := w.service.Primary()
	if p.RolloutState != types.DeploymentRolloutStateFailed || p.RolloutStateReason != "ECS deployment circuit breaker: tasks failed to start." {
		t.Errorf("%+v", p)
	}
	if got := p.FailedTasks; got < 3 || got > 4 {
		t.Errorf("%d failed tasks", got)
	}
	if len(w.live()) != 2 {
		t.Errorf("%d tasks are left of the old deployment", len(w.live()))
	}
}

func TestThreshold(t *testing.T) {
	for desired, want := range map[int]int{0: 3, 1: 3, 6: 3, 7: 4, 10: 5, 100: 50, 400: 200, 5000: 200} {
		if got := Threshold(desired); got != want {
			t.Errorf("desired %d: %d, want %d", desired, got, want)
		}
	}
}

// TestARoundOfFailuresCountsOnce: of many tasks that are started together most fail. The next ones start soon all the same.
func TestARoundOfFailuresCountsOnce(t *testing.T) {
	w := newWorld(60, 50, 200, types.DeploymentCircuitBreaker{})
	w.settle()
	w.now = w.now.Add(time.Second)
	n := 0
	w.reactAll(func(*ecs.Task) bool { n++; return n%3 > 0 })
	w.settle()
	if got := w.service.Primary().Failures; got != 1 {
		t.Errorf("%d failures in a row after one round", got)
	}
	if len(w.live()) != 60 {
		t.Errorf("%d tasks are under way at once after the first round", len(w.live()))
	}
}

func TestFailedStartsAreThrottled(t *testing.T) {
	w := newWorld(1, 100, 200, types.DeploymentCircuitBreaker{})
	w.update("web:bad")
	began := w.now
	for w.now.Sub(began) < time.Hour {
		w.settle()
		w.reactAll(isBad)
	}
	if n := len(w.tasks); n > 25 || n < 5 {
		t.Errorf("%d starts in an hour", n)
	}
	if !w.said("is unable to consistently start tasks successfully.") {
		t.Errorf("events %q", w.events)
	}
}

// TestFailingServiceDoesNotSpin: while tasks that may show whether it works are on their way, more than the budget to start is no reason to
// decide again at once.
func TestFailingServiceDoesNotSpin(t *testing.T) {
	w := newWorld(9, 100, 200, types.DeploymentCircuitBreaker{})
	w.budget = 3
	w.step()
	s := w.service.Clone()
	s.Primary().Failures = 3
	w.service = s
	if p := w.step(); p.Start != 0 || p.More {
		t.Errorf("%s", p)
	}
}

func TestKilledTaskIsReplacedAtOnce(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	w.exit(w.live()[0])
	w.step()
	if w.step(); len(w.live()) != 3 {
		t.Errorf("%d tasks right after one died", len(w.live()))
	}
}

func TestUnhealthyTaskIsReplaced(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	sick := w.live()[1]
	sick.HealthStatus = ecs.HealthUnhealthy
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	if sick.StoppedReason != "Task failed container health checks" || len(w.live()) != 3 {
		t.Errorf("%q, %d tasks", sick.StoppedReason, len(w.live()))
	}
	if !w.said("(task " + sick.TaskArn.ID() + ") failed container health checks.") {
		t.Errorf("events %q", w.events)
	}
}

func TestDrainingInstanceLosesItsTasks(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	for _, x := range w.live()[:2] {
		w.draining[x.TaskArn] = true
	}
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	for _, x := range w.live() {
		if w.draining[x.TaskArn] {
			t.Errorf("%s still runs on a draining instance", x.TaskArn)
		}
	}
	if len(w.live()) != 3 {
		t.Errorf("%d tasks", len(w.live()))
	}
}

func TestDeletedServiceEnds(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	s := w.service.Clone()
	s.Status, s.DesiredCount = ecs.Draining, 0
	w.service = s
	w.run(nil)
	if w.service.Status != ecs.Inactive || len(w.live()) != 0 {
		t.Errorf("%s with %d tasks", w.service.Status, len(w.live()))
	}
}

// TestLaws plays random worlds: updates, failures, sick and dying tasks, scaling, draining. Whatever happens, Berth's own doing keeps the
// bounds of I4, decisions come to rest, and a world that is left in peace becomes steady.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := int32(rapid.SampledFrom([]int{0, 33, 50, 100}).Draw(t, "minimumHealthyPercent"))
		high := int32(rapid.SampledFrom([]int{150, 200, 400}).Draw(t, "maximumPercent"))
		breaker := types.DeploymentCircuitBreaker{Enable: rapid.Bool().Draw(t, "breaker"), Rollback: rapid.Bool().Draw(t, "rollback")}
		w := newWorld(rapid.IntRange(0, 8).Draw(t, "desired"), low, high, breaker)
		w.budget = rapid.SampledFrom([]int{1, 3, 90}).Draw(t, "budget")
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.disturb(t)
			for range 50 {
				if !w.lawful(t) {
					break
				}
			}
			w.now = w.now.Add(time.Second)
		}
		if l := bounds(w.service); l.min >= w.service.DesiredCount && l.max <= w.service.DesiredCount { // percentages that let nothing move
			s := w.service.Clone()
			s.DesiredCount = 4
			w.service = s
		}
		w.update("web:last")
		for range 40 { // failures in a row may have to wait out the back-off
			w.now = w.now.Add(20 * time.Minute)
			w.run(nil)
		}
		if s := w.service; s.SteadyAt == nil || len(s.Deployments) != 1 || len(w.live()) != s.DesiredCount {
			t.Fatalf("left in peace it is not steady: %d tasks for %d, %+v", len(w.live()), s.DesiredCount, s.Deployments)
		}
	})
}

func (w *world) disturb(t *rapid.T) {
	live := w.live()
	switch rapid.SampledFrom([]string{"react", "react", "react", "update", "bad", "sick", "die", "scale", "drain", "protect"}).Draw(t, "disturbance") {
	case "react":
		for _, x := range live {
			if rapid.Bool().Draw(t, "reports") {
				w.react(x, isBad(x))
			}
		}
	case "update":
		w.update("web:good")
	case "bad":
		w.update("web:bad")
	case "sick":
		if len(live) > 0 {
			if x := rapid.SampledFrom(live).Draw(t, "task"); x.LastStatus == ecs.Running {
				x.HealthStatus = ecs.HealthUnhealthy
			}
		}
	case "die":
		if len(live) > 0 {
			w.exit(rapid.SampledFrom(live).Draw(t, "task"))
		}
	case "scale":
		s := w.service.Clone()
		s.DesiredCount = rapid.IntRange(0, 8).Draw(t, "desired")
		w.service = s
	case "drain":
		if len(live) > 0 {
			w.draining[rapid.SampledFrom(live).Draw(t, "task").TaskArn] = true
		}
	case "protect":
		if len(live) > 0 {
			w.protect(rapid.SampledFrom(live).Draw(t, "task"), time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds"))*time.Second)
		}
	}
}

// lawful steps once, checks I4, and reports whether there is more to do.
func (w *world) lawful(t *rapid.T) bool {
	l := bounds(w.service)
	var before ecs.Counts
	for _, d := range w.service.Deployments {
		before = before.Plus(w.counts(d.ID))
	}
	p := w.step()
	healthyStopped := 0
	for _, s := range p.Stop {
		x := w.task(s.Task)
		if x.Healthy() {
			healthyStopped++
		}
		if x.Protected(w.now) && s.Reason != reasonUnhealthy {
			t.Fatalf("%s is protected until %s, and stopped at %s: %s", x.TaskArn.ID(), x.ProtectedUntil, w.now, p)
		}
	}
	if n := before.Pending + before.Running + p.Start; p.Start > 0 && n > l.max {
		t.Fatalf("%d tasks run or start, %d may", n, l.max)
	}
	if left := before.WantHealthy - healthyStopped; healthyStopped > 0 && left < min(l.min, w.service.DesiredCount) {
		t.Fatalf("stopping left %d healthy tasks, %d must stay\n%s", left, l.min, p)
	}
	return !p.Empty() || p.More
}
