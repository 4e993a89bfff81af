package deployment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

func (w *world) protect(t *ecs.Task, d time.Duration) {
	until := w.now.Add(d)
	t.ProtectedUntil = &until
}

func (w *world) scale(desired int) {
	s := w.service.Clone()
	s.DesiredCount = desired
	w.service = s
}

// saidOfProtection are the texts about protected tasks, in their order.
func (w *world) saidOfProtection() (out []string) {
	for _, e := range w.events {
		if strings.Contains(e, "under protection") {
			out = append(out, e)
		}
	}
	return out
}

func unableToScaleIn(deployment string, n int) string {
	return fmt.Sprintf("(service web) was unable to reach steady state because (taskSet %s) was unable to scale in due to (reason %d tasks under protection)",
		deployment, n)
}

func TestScaleInLeavesProtectedTasks(t *testing.T) {
	w := newWorld(4, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	// The youngest would go first.
	kept := w.live()[3]
	w.protect(kept, time.Hour)
	w.scale(1)
	if w.run(nil) < 0 {
		t.Fatal("never came to rest")
	}
	if live := w.live(); len(live) != 1 || live[0] != kept {
		t.Errorf("left are %v", live)
	}
	if w.service.SteadyAt == nil || len(w.saidOfProtection()) > 0 {
		t.Errorf("steady %v, events %q", w.service.SteadyAt, w.events)
	}
}

func TestTooManyProtectedTasks(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	began := w.now
	for i, x := range w.live() {
		w.protect(x, time.Duration(3-i)*10*time.Minute) // the youngest's ends first
	}
	w.scale(1)
	id := w.service.Primary().ID
	plans := w.settle()
	if len(w.live()) != 3 || len(plans) != 1 {
		t.Fatalf("%d tasks after %v", len(w.live()), plans)
	}
	if again := plans[0].Again; !again.Equal(began.Add(10 * time.Minute)) {
		t.Errorf("looks again at %s", again)
	}
	if !BlockedByProtection(w.service) {
		t.Error("not blocked")
	}
	for n := range 2 {
		w.now = began.Add(time.Duration(n+1) * 10 * time.Minute)
		w.settle()
		w.reactAll(nil)
		if want := 2 - n; len(w.live()) != want {
			t.Errorf("%d tasks are left after %s, want %d", len(w.live()), w.now.Sub(began), want)
		}
	}
	w.settle()
	if w.service.SteadyAt == nil || BlockedByProtection(w.service) {
		t.Errorf("steady %v, said %v", w.service.SteadyAt, w.service.Said)
	}
	want := []string{unableToScaleIn(id, 2), unableToScaleIn(id, 1)}
	if got := w.saidOfProtection(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestUpdateWaitsForProtectedTasks(t *testing.T) {
	w := newWorld(3, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	old := w.service.Primary().ID
	for _, x := range w.live()[:2] {
		w.protect(x, time.Hour)
	}
	w.update("web:2")
	for range 10 {
		w.settle()
		w.reactAll(nil)
	}
	if n := w.counts(w.service.Primary().ID).WantHealthy; n != 3 || w.counts(old).WantHealthy != 2 {
		t.Errorf("%d new tasks and %+v", n, w.counts(old))
	}
	if p := w.service.Primary(); p.RolloutState != types.DeploymentRolloutStateInProgress {
		t.Errorf("the deployment is %s", p.RolloutState)
	}
	if got := w.saidOfProtection(); len(got) != 1 || got[0] != unableToScaleIn(old, 2) {
		t.Errorf("events %q", got)
	}
	w.now = w.now.Add(time.Hour)
	w.run(nil)
	if len(w.service.Deployments) != 1 || len(w.live()) != 3 || BlockedByProtection(w.service) {
		t.Errorf("%d deployments, %d tasks", len(w.service.Deployments), len(w.live()))
	}
}

// Protected tasks that do not work yet stay, and no healthy one goes in their place.
func TestProtectedAndNotWorking(t *testing.T) {
	w := newWorld(2, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	w.scale(4)
	w.settle()
	for _, x := range w.live()[2:] {
		w.protect(x, time.Hour) // PENDING
	}
	w.scale(2)
	w.settle()
	if c := w.counts(w.service.Primary().ID); c.WantHealthy != 2 || c.WantPending != 2 {
		t.Errorf("%+v", c)
	}
	for _, x := range w.live()[2:] {
		x.Advance(ecs.Running)
	}
	for _, x := range w.live()[2:] {
		x.HealthChecked = true // RUNNING, and not HEALTHY yet
	}
	w.settle()
	if c := w.counts(w.service.Primary().ID); c.WantHealthy != 2 || c.WantRunning != 4 {
		t.Errorf("%+v", c)
	}
}

func TestDrainingWaitsForProtectedTasks(t *testing.T) {
	w := newWorld(2, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	x := w.live()[0]
	w.draining[x.TaskArn] = true
	w.protect(x, time.Hour)
	if plans := w.settle(); len(plans) > 0 {
		t.Errorf("%v", plans)
	}
	if again := Decide(w.view(), w.now).Again; !again.Equal(*x.ProtectedUntil) {
		t.Errorf("looks again at %s", again)
	}
	w.now = *x.ProtectedUntil
	w.run(nil)
	if x.DesiredStatus != ecs.Stopped || len(w.live()) != 2 {
		t.Errorf("%s, %d tasks", x.DesiredStatus, len(w.live()))
	}
}

// Protection is from scale-in only: what fails its health check is replaced, and a deleted service ends.
func TestProtectionEnds(t *testing.T) {
	w := newWorld(2, 100, 200, types.DeploymentCircuitBreaker{})
	w.run(nil)
	sick := w.live()[0]
	w.protect(sick, time.Hour)
	sick.HealthStatus = ecs.HealthUnhealthy
	w.run(nil)
	if sick.StoppedReason != reasonUnhealthy || len(w.live()) != 2 {
		t.Errorf("%q, %d tasks", sick.StoppedReason, len(w.live()))
	}
	for _, x := range w.live() {
		w.protect(x, time.Hour)
	}
	w.scale(0)
	s := w.service.Clone()
	s.Status = ecs.Draining
	w.service = s
	w.run(nil)
	if w.service.Status != ecs.Inactive || len(w.live()) != 0 {
		t.Errorf("%s with %d tasks", w.service.Status, len(w.live()))
	}
}

// A daemon's update waits for the protected tasks of the old deployment, and says so.
func TestDaemonUpdateWaitsForProtectedTasks(t *testing.T) {
	g := newGround(2, 0, types.DeploymentCircuitBreaker{})
	g.mustRest(t, nil)
	old, kept := g.service.Primary().ID, g.live()[0]
	g.protect(kept, time.Hour)
	g.update("web:2")
	for range 10 {
		g.decide()
		g.reactAll(nil)
	}
	if kept.DesiredStatus == ecs.Stopped || g.counts(old).WantHealthy != 1 || g.counts(g.service.Primary().ID).WantHealthy != 1 {
		t.Errorf("%s, %+v old and %+v new", kept.DesiredStatus, g.counts(old), g.counts(g.service.Primary().ID))
	}
	if got := g.saidOfProtection(); len(got) != 1 || got[0] != unableToScaleIn(old, 1) {
		t.Errorf("events %q", got)
	}
	g.now = g.now.Add(time.Hour)
	g.mustRest(t, nil)
	if len(g.live()) != 2 || len(g.service.Deployments) != 1 || BlockedByProtection(g.service) {
		t.Errorf("%d tasks, %d deployments", len(g.live()), len(g.service.Deployments))
	}
}
