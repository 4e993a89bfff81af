package deployment

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// What service deployments say of their ends.
const (
	stoppedByUser    = "Service deployment stopped by request."
	stoppedByDelete  = "Service deployment stopped because the service was deleted."
	superseded       = "Service deployment stopped because a newer service deployment was started."
	stoppedByBreaker = "Service deployment stopped because the circuit breaker threshold was exceeded."
	rolledByBreaker  = "Service deployment rolled back because the circuit breaker threshold was exceeded."
	rolledByUser     = "Service deployment rolled back by request."
)

// Follow brings d, a clone of the service deployment that is going on, up to date with its service, and reports whether that changed it.
func Follow(s *ecs.Service, d *ecs.ServiceDeployment, counts func(deployment string) ecs.Counts, now time.Time) bool {
	p, before := s.Primary(), d.Status
	end := func(status types.ServiceDeploymentStatus, reason string) {
		if d.StartedAt == nil {
			d.StartedAt = &now
		}
		if status == types.ServiceDeploymentStatusStopped {
			d.StoppedAt = &now
		}
		d.Failures = failures(s, d)
		d.End(status, reason, counts, now)
	}
	switch {
	case s.Status != ecs.Active || p == nil:
		end(types.ServiceDeploymentStatusStopped, stoppedByDelete)
	case d.Status == types.ServiceDeploymentStatusStopRequested:
		end(types.ServiceDeploymentStatusStopped, stoppedByUser)
	case p.ID != d.Target.Deployment && p.Rollback:
		rollingBack(s, d, p, now)
		switch p.RolloutState {
		case types.DeploymentRolloutStateCompleted:
			end(types.ServiceDeploymentStatusRollbackSuccessful, "")
		case types.DeploymentRolloutStateFailed:
			end(types.ServiceDeploymentStatusRollbackFailed, "")
		}
	case p.ID != d.Target.Deployment:
		end(types.ServiceDeploymentStatusStopped, superseded)
	case p.RolloutState == types.DeploymentRolloutStateCompleted:
		end(types.ServiceDeploymentStatusSuccessful, "")
	case p.RolloutState == types.DeploymentRolloutStateFailed:
		d.Triggered = true
		end(types.ServiceDeploymentStatusStopped, stoppedByBreaker)
	case d.Status == types.ServiceDeploymentStatusPending:
		d.Status, d.StartedAt, d.UpdatedAt = types.ServiceDeploymentStatusInProgress, &now, now
	}
	return d.Status != before
}

// failures is the target's counter as the breaker has it, or had when it tripped.
func failures(s *ecs.Service, d *ecs.ServiceDeployment) int {
	if d.Triggered {
		return ThresholdOf(d, s.DesiredCount)
	}
	if target := s.Deployment(d.Target.Deployment); target != nil {
		return target.FailedTasks
	}
	return d.Failures
}

// rollingBack notes that the service goes back, and why.
func rollingBack(s *ecs.Service, d *ecs.ServiceDeployment, p *ecs.Deployment, now time.Time) {
	if d.Rollback != nil {
		return
	}
	reason := rolledByUser
	if d.Triggered = p.ByBreaker; d.Triggered {
		reason = rolledByBreaker
	}
	d.Rollback = &types.Rollback{Reason: &reason, StartedAt: &now, ServiceRevisionArn: new(s.Revision(p.ID))}
	d.Status, d.StatusReason, d.UpdatedAt = types.ServiceDeploymentStatusRollbackInProgress, reason, now
}

// ThresholdOf is the threshold of a service deployment: how many failures would trip its breaker, with the service's desired count.
func ThresholdOf(d *ecs.ServiceDeployment, desired int) int {
	if c := d.DeploymentConfiguration; c != nil && c.DeploymentCircuitBreaker != nil {
		return threshold(c.DeploymentCircuitBreaker, desired)
	}
	return Threshold(desired)
}

// RolledBackReason is the format of the rolloutStateReason of a deployment that somebody has gone back to.
const RolledBackReason = "ECS deployment rolling back to deploymentId %s by request."

// Abort ends the primary deployment of s, a clone: it starts no task any more, and those that are there stay.
func Abort(s *ecs.Service, now time.Time) {
	if p := s.Primary(); p != nil {
		p.RolloutState, p.RolloutStateReason, p.UpdatedAt = types.DeploymentRolloutStateFailed, "ECS deployment "+p.ID+" stopped by request.", now
	}
}
