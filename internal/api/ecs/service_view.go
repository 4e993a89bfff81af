package ecs

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// serviceView is a service as answers show it, its tags where tags is set and there are some.
func serviceView(t *state.Tables, s *ecs.Service, tags bool) types.Service {
	n := t.Tasks.ServiceCounts(s.ServiceArn)
	v := types.Service{
		ServiceArn: new(string(s.ServiceArn)), ServiceName: new(s.ServiceArn.Name()), ClusterArn: new(string(s.ServiceArn.Cluster())),
		Status: &s.Status, DesiredCount: int32(s.DesiredCount), RunningCount: int32(n.Running), PendingCount: int32(n.Pending),
		LaunchType: s.LaunchType, TaskDefinition: new(string(s.TaskDefinition)), DeploymentConfiguration: s.DeploymentConfiguration,
		DeploymentController: s.DeploymentController, CreatedAt: &s.CreatedAt, CreatedBy: optional(s.CreatedBy),
		LoadBalancers: []types.LoadBalancer{}, ServiceRegistries: []types.ServiceRegistry{},
		PlacementConstraints: orEmpty(s.PlacementConstraints), PlacementStrategy: orEmpty(s.PlacementStrategy),
		SchedulingStrategy: s.SchedulingStrategy, EnableECSManagedTags: s.EnableECSManagedTags, PropagateTags: s.PropagateTags,
		EnableExecuteCommand: s.EnableExecuteCommand, AvailabilityZoneRebalancing: s.AvailabilityZoneRebalancing,
		HealthCheckGracePeriodSeconds: s.HealthCheckGracePeriodSeconds, ResourceManagementType: types.ResourceManagementTypeCustomer,
		Events: eventsView(t, s), Deployments: []types.Deployment{}, CurrentServiceRevisions: []types.ServiceCurrentRevisionSummary{},
	}
	if tags && len(s.Tags) > 0 {
		v.Tags = s.Tags
	}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		c := t.Tasks.Counts(s.ServiceArn, d.ID)
		v.Deployments = append(v.Deployments, deploymentView(d, c))
		v.CurrentServiceRevisions = append(v.CurrentServiceRevisions, types.ServiceCurrentRevisionSummary{
			Arn: new(revisionARN(s, d)), RequestedTaskCount: int32(asked(d, c)), RunningTaskCount: int32(c.Running), PendingTaskCount: int32(c.Pending),
		})
	}
	return v
}

// asked is how many tasks a deployment should have now: the primary what the controller gave it, an older one what it still may keep.
func asked(d *ecs.Deployment, c ecs.Counts) int {
	if d.Status == ecs.DeploymentPrimary {
		return d.DesiredCount
	}
	return c.WantPending + c.WantRunning
}

func deploymentView(d *ecs.Deployment, c ecs.Counts) types.Deployment {
	return types.Deployment{
		Id: &d.ID, Status: &d.Status, TaskDefinition: new(string(d.TaskDefinition)), DesiredCount: int32(asked(d, c)),
		PendingCount: int32(c.Pending), RunningCount: int32(c.Running), FailedTasks: int32(d.FailedTasks), CreatedAt: &d.CreatedAt,
		UpdatedAt: &d.UpdatedAt, LaunchType: d.LaunchType, RolloutState: d.RolloutState, RolloutStateReason: optional(d.RolloutStateReason),
	}
}

// revisionARN is the ARN of the service revision that a deployment rolls out: it has the deployment's digits.
func revisionARN(s *ecs.Service, d *ecs.Deployment) string {
	return strings.Replace(string(s.ServiceArn), ":service/", ":service-revision/", 1) + "/" + digits(d.ID)
}

// eventsView are the service's events, the newest first.
func eventsView(t *state.Tables, s *ecs.Service) []types.ServiceEvent {
	out := []types.ServiceEvent{}
	for e := range t.Events.Backward(string(s.ServiceArn) + "#") {
		if e.CreatedAt.Before(s.CreatedAt) || len(out) == ecs.EventsKept {
			break // of an earlier service of the name
		}
		out = append(out, types.ServiceEvent{Id: &e.ID, CreatedAt: &e.CreatedAt, Message: &e.Message})
	}
	return out
}
