package deployment

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// deploy begins another deployment with its service deployment.
func (w *world) deploy(definition string) *ecs.ServiceDeployment {
	w.update(definition)
	s := w.service.Clone()
	_, d := s.Deploy("name", w.counts, w.now)
	w.service = s
	return d
}

// followed runs the world until it rests, follows it, and returns the statuses in between.
func (w *world) followed(d *ecs.ServiceDeployment, bad func(*ecs.Task) bool) (seen []types.ServiceDeploymentStatus) {
	seen = append(seen, d.Status)
	look := func() {
		if Follow(w.service, d, w.counts, w.now) {
			seen = append(seen, d.Status)
		}
	}
	for range 60 {
		w.step()
		look()
		w.reactAll(bad)
		if d.Over() {
			break
		}
	}
	return seen
}

func TestFollow(t *testing.T) {
	const (
		pending, going  = types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress
		done, stopped   = types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped
		back, returned  = types.ServiceDeploymentStatusRollbackInProgress, types.ServiceDeploymentStatusRollbackSuccessful
		wanted, halting = types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusStopRequested
	)
	breaker := types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	for _, c := range []struct {
		name    string
		breaker types.DeploymentCircuitBreaker
		next    string
		do      func(w *world, d *ecs.ServiceDeployment)
		want    []types.ServiceDeploymentStatus
		reason  string
	}{
		{"rolled out", breaker, "web:2", nil, []types.ServiceDeploymentStatus{pending, going, done}, ""},
		{"rolled back by the breaker", breaker, "web:bad", nil, []types.ServiceDeploymentStatus{pending, going, returned}, rolledByBreaker},
		{"failed without a rollback", types.DeploymentCircuitBreaker{Enable: true}, "web:bad", nil, []types.ServiceDeploymentStatus{pending, going, stopped}, stoppedByBreaker},
		{"rolled back by request", breaker, "web:2", func(w *world, d *ecs.ServiceDeployment) {
			w.step() // it has begun
			s := w.service.Clone()
			if RollBack(s, RolledBackReason, w.now) == "" {
				t.Error("there is nothing to go back to")
			}
			w.service, d.Status = s, wanted
		}, []types.ServiceDeploymentStatus{wanted, back, returned}, rolledByUser},
		{"aborted", breaker, "web:2", func(w *world, d *ecs.ServiceDeployment) {
			s := w.service.Clone()
			Abort(s, w.now)
			w.service, d.Status = s, halting
		}, []types.ServiceDeploymentStatus{halting, stopped}, stoppedByUser},
		{"superseded", breaker, "web:2", func(w *world, _ *ecs.ServiceDeployment) { w.update("web:3") }, []types.ServiceDeploymentStatus{pending, stopped}, superseded},
		{"deleted", breaker, "web:2", func(w *world, _ *ecs.ServiceDeployment) {
			s := w.service.Clone()
			s.Status = ecs.Draining
			w.service = s
		}, []types.ServiceDeploymentStatus{pending, stopped}, stoppedByDelete},
	} {
		w := newWorld(3, 100, 200, c.breaker)
		w.run(nil)
		d := w.deploy(c.next)
		if c.do != nil {
			c.do(w, d)
		}
		got := w.followed(d, isBad)
		if !slices.Equal(got, c.want) || d.StatusReason != c.reason {
			t.Errorf("%s: %v %q, want %v %q", c.name, got, d.StatusReason, c.want, c.reason)
		}
		if d.FinishedAt == nil || d.StartedAt == nil || len(d.Sources) != 1 {
			t.Errorf("%s: %+v", c.name, d)
		}
		if rolled := slices.Contains(c.want, returned); rolled != (d.Rollback != nil) || rolled && *d.Rollback.ServiceRevisionArn != w.service.Revision(w.service.Primary().ID) {
			t.Errorf("%s: rollback %+v", c.name, d.Rollback)
		}
		if c.want[len(c.want)-1] == done && (d.Target.Running != 3 || d.Target.Requested != 3) {
			t.Errorf("%s: in the end its target has %+v", c.name, d.Target)
		}
	}
}
