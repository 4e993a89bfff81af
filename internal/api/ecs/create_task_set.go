package ecs

import (
	"context"
	"reflect"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// mostServiceToken is the length of the longest clientToken of CreateService and CreateTaskSet.
const mostServiceToken = 36

// createTaskSet makes a task set in a service with the deployment controller EXTERNAL; the controllers start its tasks. The same request with
// the same clientToken answers with the one that is there.
func (a *API) createTaskSet(ctx context.Context, r *frontdoor.Request, in *awsecs.CreateTaskSetInput) (*awsecs.CreateTaskSetOutput, error) {
	if err := validateNewTaskSet(in); err != nil {
		return nil, err
	}
	id, err := newDeploymentID()
	if err != nil {
		return nil, err
	}
	var out *awsecs.CreateTaskSetOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := externalService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		set, err := newTaskSet(tx.Tables, r, s, in)
		if err != nil {
			return err
		}
		if token := set.TaskSet.ClientToken; token != "" {
			for i := range s.Deployments {
				if old := &s.Deployments[i]; old.TaskSet.ClientToken == token {
					out = &awsecs.CreateTaskSetOutput{TaskSet: new(taskSetView(tx.Tables, s, old, true))}
					return sameTaskSet(old, set)
				}
			}
		}
		if n := len(s.Deployments); n >= ecs.MostTaskSets {
			return apierr.InvalidParameter("%d deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.", n)
		}
		set.ID = id
		if err := authorizeTags(tx.Tables, r, set.TaskSet.Tags, s.TaskSetArn(id)); err != nil {
			return err
		}
		s = s.Clone()
		made := s.AddTaskSet(*set, now())
		tx.Put(s)
		out = &awsecs.CreateTaskSetOutput{TaskSet: new(taskSetView(tx.Tables, s, made, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// validateNewTaskSet checks what needs no look at the records.
func validateNewTaskSet(in *awsecs.CreateTaskSetInput) error {
	on := &capacity{launchType: in.LaunchType, strategy: in.CapacityProviderStrategy}
	if err := on.validate(); err != nil {
		return err
	}
	settings := &serviceSettings{
		capacityProviders: in.CapacityProviderStrategy, platformVersion: in.PlatformVersion, loadBalancers: in.LoadBalancers, registries: in.ServiceRegistries,
	}
	switch {
	case text(in.TaskDefinition) == "":
		return apierr.InvalidParameter("TaskDefinition can not be blank.")
	case !printable(text(in.ClientToken), mostServiceToken):
		return apierr.InvalidParameter("clientToken can be at most %d ASCII characters long, none of them a blank.", mostServiceToken)
	case len(text(in.ExternalId)) > mostName:
		return apierr.InvalidParameter("externalId can be at most %d characters long.", mostName)
	}
	for _, check := range []func() error{
		settings.validateCapacity,
		settings.notServed,
		func() error { return validateScale(in.Scale) },
		func() error { return validateTags(in.Tags) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// newTaskSet is the task set that a request describes, without an id yet. Without a scale it has none of the service's tasks, as on AWS.
func newTaskSet(t *state.Tables, r *frontdoor.Request, s *ecs.Service, in *awsecs.CreateTaskSetInput) (*ecs.Deployment, error) {
	on := &capacity{in.LaunchType, in.CapacityProviderStrategy, text(in.PlatformVersion), in.NetworkConfiguration}
	if c := t.Clusters.Get(s.ServiceArn.Cluster()); c != nil {
		if err := on.resolve(c); err != nil {
			return nil, err
		}
	}
	d, err := resolveDefinition(t, r, *in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	set := &ecs.Deployment{
		TaskDefinition: d.ARN(), LaunchType: on.launchType, CapacityProviderStrategy: on.strategy, PlatformVersion: ecs.ResolvedPlatform(on.platform),
		NetworkConfiguration: shownNetwork(on.network),
		TaskSet:              &ecs.TaskSet{ExternalID: text(in.ExternalId), ClientToken: text(in.ClientToken), Tags: orNone(in.Tags)},
	}
	if in.Scale != nil {
		set.TaskSet.Scale = in.Scale.Value
	}
	return set, servable(t, d, s, on, "created")
}

// sameTaskSet refuses a clientToken that came with another request.
func sameTaskSet(old, set *ecs.Deployment) error {
	a, b := old.TaskSet, set.TaskSet
	if old.TaskDefinition != set.TaskDefinition || a.ExternalID != b.ExternalID || !reflect.DeepEqual(capacityOf(old), capacityOf(set)) {
		return apierr.InvalidParameter("Creation of task set was not idempotent.")
	}
	return nil
}
