package deployment

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// Back-off of starts after failures in a row: none after the first, then a second, doubled up to ECS's fifteen minutes. Failures that lie
// further apart than a minute (and than twice the back-off) are not in a row.
const (
	firstBackoff = time.Second
	lastBackoff  = 15 * time.Minute
	notInARow    = time.Minute
	shortLife    = 10 * time.Second // a task that ran for less is a failed start for the back-off, though not for the breaker
)

// count takes the ends of tasks into their deployments' counters.
func (d *decision) count() {
	for t := range d.Ended {
		if d.budget == 0 {
			d.plan.More = true
			return
		}
		d.budget--
		d.plan.Counted = append(d.plan.Counted, t.TaskArn)
		if dep := d.service.Deployment(t.StartedBy); dep != nil {
			d.countOne(dep, t)
		}
	}
}

func (d *decision) countOne(dep *ecs.Deployment, t *ecs.Task) {
	sick := t.StopCode == types.TaskStopCodeServiceSchedulerInitiated && t.StoppedReason == reasonUnhealthy
	failed := t.StopCode == types.TaskStopCodeTaskFailedToStart || sick
	if failed {
		dep.FailedTasks++
		dep.HealthyThen = d.Counts(dep.ID).WantHealthy
		d.changed = true
	}
	if failed || shortLived(t) {
		d.throttle(dep, t)
	}
}

func shortLived(t *ecs.Task) bool {
	return t.StopCode == types.TaskStopCodeEssentialContainerExited && t.StartedAt != nil && t.StoppedAt != nil && t.StoppedAt.Sub(*t.StartedAt) < shortLife
}

// throttle delays the deployment's next start. A short life of a task that was killed once costs nothing: only a row of failures does. Tasks
// that were under way when another one failed are of its round: however many of a round fail, it counts once.
func (d *decision) throttle(dep *ecs.Deployment, t *ecs.Task) {
	at := d.now
	if t.StoppedAt != nil {
		at = *t.StoppedAt
	}
	if dep.FailedAt != nil && dep.Failures > 0 && t.CreatedAt.Before(*dep.FailedAt) && at.Sub(*dep.FailedAt) < notInARow {
		return
	}
	if dep.FailedAt != nil && at.Sub(*dep.FailedAt) > max(notInARow, 2*backoff(dep.Failures)) {
		dep.Failures = 0
	}
	dep.Failures++
	dep.FailedAt = &at
	d.changed = true
	if pause := backoff(dep.Failures); pause > 0 {
		next := d.now.Add(pause)
		dep.NextStartAt = &next
	}
	if dep.Failures >= 3 && (dep.Status == ecs.DeploymentPrimary || dep.TaskSet != nil) {
		d.say("unable to start", "is unable to consistently start tasks successfully. "+troubleshooting)
	}
}

func backoff(failures int) time.Duration {
	if failures < 2 {
		return 0
	}
	if failures > 12 {
		return lastBackoff
	}
	return min(firstBackoff<<(failures-2), lastBackoff)
}

// Threshold is how many failures in a row trip a service's circuit breaker: half of the desired count, at least 3 and at most 200.
func Threshold(desired int) int { return min(max((desired+1)/2, 3), 200) }

// breaker fails the primary deployment after too many failures, and rolls back to the last completed one where the service says so.
func (d *decision) breaker() {
	p := d.service.Primary()
	var b types.DeploymentCircuitBreaker
	if c := d.service.DeploymentConfiguration; c != nil && c.DeploymentCircuitBreaker != nil {
		b = *c.DeploymentCircuitBreaker
	}
	if reset := b.ResetOnHealthyTask == nil || *b.ResetOnHealthyTask; reset && p.FailedTasks > 0 && d.Counts(p.ID).WantHealthy > p.HealthyThen {
		p.FailedTasks = 0 // a task that became healthy ends the row
		d.changed = true
	}
	if !b.Enable {
		return
	}
	if p.RolloutState != types.DeploymentRolloutStateInProgress || p.FailedTasks < threshold(&b, d.service.DesiredCount) {
		return
	}
	p.RolloutState = types.DeploymentRolloutStateFailed
	p.RolloutStateReason = "ECS deployment circuit breaker: tasks failed to start."
	p.UpdatedAt = d.now
	d.changed = true
	d.say("", "(deployment "+p.ID+") deployment failed: tasks failed to start.")
	if b.Rollback {
		d.rollBack()
	}
}

// threshold reads the breaker's own configuration where the request had one.
func threshold(b *types.DeploymentCircuitBreaker, desired int) int {
	t := b.ThresholdConfiguration
	if t == nil {
		return Threshold(desired)
	}
	value := int(t.Value)
	switch t.Type {
	case types.ThresholdTypeCount:
		return max(value, 1)
	case types.ThresholdTypeUnboundedPercent:
		return max((desired*value+99)/100, 1)
	}
	return min(max((desired*value+99)/100, 3), 200)
}

// rollBack makes the newest completed deployment the primary again, where there is one.
func (d *decision) rollBack() {
	if id := RollBack(d.service, "ECS deployment circuit breaker: rolling back to deploymentId %s.", d.now); id != "" {
		d.service.Primary().ByBreaker = true
		d.say("", "rolling back to deployment "+id+".")
	}
}

// takeBack makes the service what the deployment was made of.
func takeBack(s *ecs.Service, d *ecs.Deployment) {
	s.TaskDefinition, s.LaunchType, s.CapacityProviderStrategy = d.TaskDefinition, d.LaunchType, d.CapacityProviderStrategy
	s.NetworkConfiguration = d.NetworkConfiguration
	if ecs.ResolvedPlatform(s.PlatformVersion) != d.PlatformVersion { // LATEST stays what was asked for
		s.PlatformVersion = d.PlatformVersion
	}
}

// RollBack makes the newest completed deployment of s, a clone, the primary again, under its own id, as ECS does, and returns the id; "" where
// there is none. reason is the format of its rolloutStateReason.
func RollBack(s *ecs.Service, reason string, now time.Time) string {
	list := s.Deployments
	for i := 1; i < len(list); i++ {
		target := list[i]
		if target.RolloutState != types.DeploymentRolloutStateCompleted {
			continue
		}
		target.Status, target.DesiredCount, target.UpdatedAt = ecs.DeploymentPrimary, s.DesiredCount, now
		target.RolloutState, target.Rollback, target.ByBreaker = types.DeploymentRolloutStateInProgress, true, false
		target.RolloutStateReason = fmt.Sprintf(reason, target.ID)
		target.FailedTasks, target.HealthyThen, target.Failures, target.NextStartAt = 0, 0, 0, nil
		rest := []ecs.Deployment{target}
		for j, dep := range list {
			if j != i {
				dep.Status = ecs.DeploymentActive
				rest = append(rest, dep)
			}
		}
		s.Deployments = rest
		takeBack(s, &target)
		return target.ID
	}
	return ""
}
