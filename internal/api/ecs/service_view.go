package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// serviceView is the service as an answer shows it, with the numbers that t has of its tasks. Tags are shown where tags is set and there are any.
func serviceView(t *state.Tables, s *ecs.Service, tags bool) types.Service {
	n := t.Tasks.ServiceCounts(s.ServiceArn)
	v := types.Service{
		ServiceArn: new(string(s.ServiceArn)), ServiceName: new(s.ServiceArn.Name()), ClusterArn: new(string(s.ServiceArn.Cluster())),
		Status: &s.Status, DesiredCount: int32(s.DesiredCount), RunningCount: int32(n.Running), PendingCount: int32(n.Pending),
		LaunchType: s.LaunchType, TaskDefinition: optional(string(s.TaskDefinition)), SchedulingStrategy: s.SchedulingStrategy,
		DeploymentConfiguration: configurationView(s), DeploymentController: s.DeploymentController,
		LoadBalancers: []types.LoadBalancer{}, ServiceRegistries: []types.ServiceRegistry{},
		PlacementConstraints: orEmpty(s.PlacementConstraints), PlacementStrategy: orEmpty(s.PlacementStrategy),
		AvailabilityZoneRebalancing: s.AvailabilityZoneRebalancing, HealthCheckGracePeriodSeconds: s.HealthCheckGracePeriodSeconds,
		EnableECSManagedTags: s.EnableECSManagedTags, EnableExecuteCommand: s.EnableExecuteCommand, PropagateTags: s.PropagateTags,
		CreatedAt: &s.CreatedAt, CreatedBy: optional(s.CreatedBy),
		ResourceManagementType: types.ResourceManagementTypeCustomer, Events: eventsView(t, s),
		CapacityProviderStrategy: s.CapacityProviderStrategy, PlatformVersion: optional(s.PlatformVersion), PlatformFamily: familyView(s.PlatformVersion),
		NetworkConfiguration: s.NetworkConfiguration, RoleArn: serviceRole(s),
	}
	if s.IsExternal() {
		v.Deployments, v.TaskSets = []types.Deployment{}, taskSetsView(t, s, tags)
	} else {
		v.Deployments, v.CurrentServiceRevisions = deploymentsView(t, s)
	}
	if tags && len(s.Tags) > 0 {
		v.Tags = s.Tags
	}
	return v
}

// deploymentsView are the service's deployments, PRIMARY first, and its revisions. An old deployment is shown as long as it has tasks.
func deploymentsView(t *state.Tables, s *ecs.Service) ([]types.Deployment, []types.ServiceCurrentRevisionSummary) {
	deployments, revisions := []types.Deployment{}, []types.ServiceCurrentRevisionSummary{}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		n := t.Tasks.Counts(s.ServiceArn, d.ID)
		if i > 0 && n.Tasks() == 0 {
			continue
		}
		v := deploymentView(d, n)
		deployments = append(deployments, v)
		revisions = append(revisions, types.ServiceCurrentRevisionSummary{
			Arn:                new(s.Revision(d.ID)),
			RequestedTaskCount: v.DesiredCount, RunningTaskCount: v.RunningCount, PendingTaskCount: v.PendingCount,
		})
	}
	return deployments, revisions
}

// taskSetsView are the service's task sets, the PRIMARY one first.
func taskSetsView(t *state.Tables, s *ecs.Service, tags bool) []types.TaskSet {
	out := []types.TaskSet{}
	for i := range s.Deployments {
		out = append(out, taskSetView(t, s, &s.Deployments[i], tags))
	}
	return out
}

// deploymentView is one deployment. What an old one still wants is what is left of it.
func deploymentView(d *ecs.Deployment, n ecs.Counts) types.Deployment {
	v := types.Deployment{
		Id: &d.ID, Status: &d.Status, TaskDefinition: new(string(d.TaskDefinition)), LaunchType: d.LaunchType,
		DesiredCount: int32(n.WantPending + n.WantRunning), RunningCount: int32(n.Running), PendingCount: int32(n.Pending),
		FailedTasks: int32(d.FailedTasks), RolloutState: d.RolloutState, RolloutStateReason: optional(d.RolloutStateReason),
		CreatedAt: &d.CreatedAt, UpdatedAt: &d.UpdatedAt,
		CapacityProviderStrategy: d.CapacityProviderStrategy, PlatformVersion: optional(d.PlatformVersion), PlatformFamily: familyView(d.PlatformVersion),
		NetworkConfiguration: d.NetworkConfiguration,
	}
	if d.Status == ecs.DeploymentPrimary {
		v.DesiredCount = int32(d.DesiredCount)
	}
	return v
}

// familyView is the platform family of what runs on a platform version of Fargate, nil of what does not.
func familyView(platform string) *string {
	if platform == "" {
		return nil
	}
	return new(ecs.FamilyLinux)
}

// serviceRole is the role by which ECS acts for the service, nil where it needs none: its tasks have no network interfaces.
func serviceRole(s *ecs.Service) *string {
	if s.NetworkConfiguration == nil {
		return nil
	}
	scope := arn.ScopeOf(s.ServiceArn)
	return new("arn:" + scope.Partition + ":iam::" + scope.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
}

// eventsView are the service's events, the newest first.
func eventsView(t *state.Tables, s *ecs.Service) []types.ServiceEvent {
	out := []types.ServiceEvent{}
	for e := range t.Events.Backward(eventsOf(s)) {
		if len(out) == ecs.EventsKept {
			break
		}
		out = append(out, types.ServiceEvent{Id: &e.ID, CreatedAt: &e.CreatedAt, Message: &e.Message})
	}
	return out
}

// eventsOf begins the keys of the service's events.
func eventsOf(s *ecs.Service) string { return string(s.ServiceArn) + "#" }

// configurationView is the service's deployment configuration. There is a circuit breaker for ECS's own deployments only.
func configurationView(s *ecs.Service) *types.DeploymentConfiguration {
	v := deploymentConfigurationView(s.DeploymentConfiguration)
	if v == nil || !s.IsExternal() {
		return v
	}
	c := *v
	c.DeploymentCircuitBreaker = nil
	return &c
}

// deploymentConfigurationView shows the lists that a record does not keep when they are empty.
func deploymentConfigurationView(c *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	if c == nil || c.Alarms == nil {
		return c
	}
	v, alarms := *c, *c.Alarms
	alarms.AlarmNames = orEmpty(alarms.AlarmNames)
	v.Alarms = &alarms
	return &v
}
