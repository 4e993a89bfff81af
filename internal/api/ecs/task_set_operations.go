package ecs

import (
	"context"
	"reflect"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// taskSetOperations are the operations on the task sets of services with the deployment controller EXTERNAL.
func (a *API) taskSetOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("CreateTaskSet", a.createTaskSet).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.CreateTaskSetInput)
			return serviceResources(r, i.Cluster, text(i.Service))
		}).And(func(r *frontdoor.Request, in any) []frontdoor.Question {
			return a.passesLaunched(r, in.(*awsecs.CreateTaskSetInput).TaskDefinition, nil)
		}),
		frontdoor.Op("DescribeTaskSets", a.describeTaskSets).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeTaskSetsInput)
			return taskSetResources(r, i.Cluster, i.Service, i.TaskSets...)
		}),
		frontdoor.Op("UpdateTaskSet", a.updateTaskSet).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateTaskSetInput)
			return taskSetResources(r, i.Cluster, i.Service, text(i.TaskSet))
		}),
		frontdoor.Op("DeleteTaskSet", a.deleteTaskSet).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DeleteTaskSetInput)
			return taskSetResources(r, i.Cluster, i.Service, text(i.TaskSet))
		}),
		frontdoor.Op("UpdateServicePrimaryTaskSet", a.updateServicePrimaryTaskSet).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.UpdateServicePrimaryTaskSetInput)
			return serviceResources(r, i.Cluster, text(i.Service))
		}),
	}
}

// taskSetResources are the ARNs of the task sets that a request names, as a policy is asked about them.
func taskSetResources(r *frontdoor.Request, cluster, service *string, names ...string) []string {
	resources := serviceResources(r, cluster, text(service))
	if !strings.Contains(resources[0], ":service/") {
		return resources
	}
	s := &ecs.Service{ServiceArn: arn.Service(resources[0])}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = name
		if id, err := taskSetID(s, name); err == nil {
			out[i] = s.TaskSetArn(id)
		}
	}
	return out
}

// externalService finds the service that a request about task sets names: ACTIVE, and with the deployment controller EXTERNAL.
func externalService(t *state.Tables, r *frontdoor.Request, clusterName, name *string) (*ecs.Service, error) {
	if blank(clusterName) {
		return nil, apierr.InvalidParameter("cluster should not be null or empty.")
	}
	s, err := namedService(t, r, clusterName, name)
	if err != nil {
		return nil, err
	}
	switch {
	case s.Status != ecs.Active:
		return nil, apierr.ServiceNotActive()
	case !s.IsExternal():
		return nil, apierr.InvalidParameter("Amazon ECS only supports task set management on services configured to use external deployment controllers.")
	}
	return s, nil
}

// changeTaskSet stores what change makes of a service, of which it has a clone, and returns the view of the task set that it is about.
func (a *API) changeTaskSet(
	ctx context.Context, r *frontdoor.Request, clusterName, name *string, change func(s *ecs.Service) (*ecs.Deployment, error),
) (v *types.TaskSet, err error) {
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := externalService(tx.Tables, r, clusterName, name)
		if err != nil {
			return err
		}
		s := old.Clone()
		set, err := change(s)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(old, s) {
			tx.Put(s)
		}
		v = new(taskSetView(tx.Tables, s, set, true))
		return nil
	})
	return v, err
}

// namedTaskSet finds a task set by its id ("ecs-svc/" and digits) or ARN. member is how the request calls it.
func namedTaskSet(s *ecs.Service, member string, name *string) (*ecs.Deployment, error) {
	if blank(name) {
		return nil, apierr.InvalidParameter("%s should not be null or empty.", member)
	}
	id, err := taskSetID(s, *name)
	if err != nil {
		return nil, err
	}
	d := s.Deployment(id)
	if d == nil {
		return nil, apierr.TaskSetNotFound()
	}
	return d, nil
}

// livingTaskSet finds a task set as namedTaskSet does, that is not deleted.
func livingTaskSet(s *ecs.Service, member string, name *string) (*ecs.Deployment, error) {
	d, err := namedTaskSet(s, member, name)
	if err == nil && d.Status == ecs.Draining {
		err = apierr.InvalidParameter("The task set %s is DRAINING.", d.ID)
	}
	return d, err
}

// taskSetID reads a task set's id or ARN, which must be one of the service's.
func taskSetID(s *ecs.Service, name string) (string, error) {
	if !arn.Is(name) {
		return name, nil
	}
	a := s.ServiceArn
	rest, err := identify(arn.ScopeOf(a), "task-set", name)
	if err != nil {
		return "", err
	}
	parts := strings.SplitN(rest, "/", 3)
	switch {
	case len(parts) != 3:
		return "", separators()
	case parts[0] != a.Cluster().Name():
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", parts[0], a.Cluster().Name())
	case parts[1] != a.Name():
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for service %s. Your service is %s", parts[1], a.Name())
	}
	return parts[2], nil
}

// validateScale checks a task set's scale, which is in percent.
func validateScale(s *types.Scale) error {
	switch {
	case s == nil:
		return nil
	case s.Value < 0 || s.Value > 100:
		return apierr.InvalidParameter("scale.value must be between 0.0 and 100.0, but was %v", s.Value)
	}
	return validateEnum("scale.unit", s.Unit)
}

// taskSetView is a task set as answers show it. Tags are shown where tags is set.
func taskSetView(t *state.Tables, s *ecs.Service, d *ecs.Deployment, tags bool) types.TaskSet {
	n := t.Tasks.Counts(s.ServiceArn, d.ID)
	v := types.TaskSet{
		Id: &d.ID, TaskSetArn: new(s.TaskSetArn(d.ID)), ServiceArn: new(string(s.ServiceArn)), ClusterArn: new(string(s.ServiceArn.Cluster())),
		ExternalId: optional(d.TaskSet.ExternalID), Status: &d.Status, TaskDefinition: new(string(d.TaskDefinition)),
		ComputedDesiredCount: int32(d.DesiredCount), PendingCount: int32(n.Pending), RunningCount: int32(n.Running),
		CreatedAt: &d.CreatedAt, UpdatedAt: &d.UpdatedAt, LaunchType: d.LaunchType,
		LoadBalancers: []types.LoadBalancer{}, ServiceRegistries: []types.ServiceRegistry{}, Tags: []types.Tag{},
		Scale:                    &types.Scale{Value: d.TaskSet.Scale, Unit: types.ScaleUnitPercent},
		CapacityProviderStrategy: d.CapacityProviderStrategy, PlatformVersion: optional(d.PlatformVersion), PlatformFamily: familyView(d.PlatformVersion),
		NetworkConfiguration: d.NetworkConfiguration,
		StabilityStatus:      d.TaskSet.StabilityStatus, StabilityStatusAt: &d.TaskSet.StabilityStatusAt,
	}
	if tags {
		v.Tags = orEmpty(d.TaskSet.Tags)
	}
	return v
}
