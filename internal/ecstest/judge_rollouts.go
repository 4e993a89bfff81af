package ecstest

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// changeOther takes in what changes besides services, tasks and instances. The caller holds mu.
func (w *watcher) changeOther(c state.Change) {
	switch r := c.Record().(type) {
	case *ecs.ServiceDeployment:
		if c.New == nil {
			delete(w.rollouts, r.ServiceDeploymentArn)
			return
		}
		w.rollout(w.rollouts[r.ServiceDeploymentArn], r)
	case *ecs.AccountSetting:
		delete(w.settings, r.Name)
		if c.New != nil {
			w.settings[r.Name] = r
		}
	case *ecs.Cluster:
		w.cluster = r
	}
}

// goingOn are the statuses of a service deployment that nobody has stopped and that is not over.
var goingOn = []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress}

// ends are the statuses that a service deployment may have next once it is to stop; there is none after those that it ends in.
var ends = map[types.ServiceDeploymentStatus][]types.ServiceDeploymentStatus{
	types.ServiceDeploymentStatusStopRequested: {types.ServiceDeploymentStatusStopped},
	types.ServiceDeploymentStatusRollbackRequested: {
		types.ServiceDeploymentStatusRollbackInProgress, types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed,
		types.ServiceDeploymentStatusStopped,
	},
	types.ServiceDeploymentStatusRollbackInProgress: {
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed, types.ServiceDeploymentStatusStopped,
	},
	types.ServiceDeploymentStatusSuccessful: {}, types.ServiceDeploymentStatusStopped: {},
	types.ServiceDeploymentStatusRollbackSuccessful: {}, types.ServiceDeploymentStatusRollbackFailed: {},
}

// rollout checks one change of a service deployment (I13): it ends once, and what is to stop does not succeed.
func (w *watcher) rollout(old, d *ecs.ServiceDeployment) {
	w.rollouts[d.ServiceDeploymentArn] = d
	id := d.ServiceDeploymentArn[len(d.ServiceDeploymentArn)-8:]
	if old == nil || old.Status != d.Status {
		w.say("service deployment %s %s %s", id, d.Status, d.StatusReason)
	}
	if old == nil || old.Status == d.Status {
		return
	}
	next, bound := ends[old.Status]
	if bound && !slices.Contains(next, d.Status) || d.Status == types.ServiceDeploymentStatusPending {
		w.violated("I13", "service deployment %s went from %s to %s", id, old.Status, d.Status)
	}
}

// service checks one change of a service: what it goes back to was rolled out whole, and is what its tasks are of from then on (I13).
func (w *watcher) service(old, s *ecs.Service) {
	w.services[s.ServiceArn] = s
	if s.IsExternal() {
		w.checkSets(s)
		return
	}
	for _, d := range s.Deployments {
		if d.RolloutState == types.DeploymentRolloutStateCompleted {
			w.completed[d.ID] = d.TaskDefinition
		}
	}
	p := s.Primary()
	if p == nil || !p.Rollback || old != nil && old.Primary() != nil && old.Primary().ID == p.ID {
		return
	}
	if d, whole := w.completed[p.ID]; !whole || d != p.TaskDefinition || d != s.TaskDefinition {
		w.violated("I13", "service %s goes back to %s of %s, which was %s when it was complete", s.ServiceArn.Name(), p.ID, p.TaskDefinition, d)
	}
}
