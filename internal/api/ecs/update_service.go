package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateService changes a service. Another task definition, or forceNewDeployment, begins a new deployment, which takes the place of one
// that is going on, a rollback too; everything else is true from now on for the deployment that is there.
func (a *API) updateService(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateServiceInput) (*awsecs.UpdateServiceOutput, error) {
	if err := updatedSettings(in).validate(a.config.Quotas.TasksPerService); err != nil {
		return nil, err
	}
	id, err := newDeploymentID()
	if err != nil {
		return nil, err
	}
	var out *awsecs.UpdateServiceOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if old.Status != ecs.Active {
			return apierr.ServiceNotActive()
		}
		if err := validateChange(old, in); err != nil {
			return err
		}
		s := old.Clone()
		if err := changeService(tx.Tables, r, s, in); err != nil {
			return err
		}
		at := now()
		if p := s.Primary(); s.IsExternal() {
			s.SteadyAt = nil
		} else if in.ForceNewDeployment || s.TaskDefinition != old.TaskDefinition || !sameCapacity(s, old) || p == nil {
			beginDeployment(tx, s, id, at)
		} else if s.DesiredCount != old.DesiredCount {
			p.UpdatedAt = at
		}
		tx.Put(s)
		out = &awsecs.UpdateServiceOutput{Service: new(serviceView(tx.Tables, s, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// validateChange checks whether the service can have what a request names.
func validateChange(s *ecs.Service, in *awsecs.UpdateServiceInput) error {
	if err := sameController(s, in.DeploymentController); err != nil {
		return err
	}
	switch {
	case s.IsDaemon():
		return updatedSettings(in).validateDaemon()
	case s.IsExternal():
		return validateExternalUpdate(in)
	}
	return nil
}

// changeService takes into s, a clone, what the request names. What it does not name stays.
func changeService(t *state.Tables, r *frontdoor.Request, s *ecs.Service, in *awsecs.UpdateServiceInput) (err error) {
	if in.DesiredCount != nil {
		s.DesiredCount = int(*in.DesiredCount)
	}
	if s.DeploymentConfiguration, err = mergeDeploymentConfiguration(s.DeploymentConfiguration, in.DeploymentConfiguration); err != nil {
		return err
	}
	if in.PlacementConstraints != nil { // [] takes them away
		s.PlacementConstraints = orNone(in.PlacementConstraints)
	}
	if in.PlacementStrategy != nil {
		s.PlacementStrategy = storedStrategies(in.PlacementStrategy)
	}
	if (in.PlacementStrategy != nil || in.PlacementConstraints != nil) && !overZones(s) { // what was the default goes, what is asked for below is refused
		s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled
	}
	if in.AvailabilityZoneRebalancing != "" {
		s.AvailabilityZoneRebalancing = in.AvailabilityZoneRebalancing
	}
	if in.HealthCheckGracePeriodSeconds != nil {
		s.HealthCheckGracePeriodSeconds = in.HealthCheckGracePeriodSeconds
	}
	if in.PropagateTags != "" {
		s.PropagateTags = in.PropagateTags
	}
	if in.EnableECSManagedTags != nil {
		s.EnableECSManagedTags = *in.EnableECSManagedTags
	}
	if in.EnableExecuteCommand != nil {
		s.EnableExecuteCommand = *in.EnableExecuteCommand
	}
	if err := validateRebalancing(s); err != nil {
		return err
	}
	if s.IsExternal() {
		if in.EnableExecuteCommand == nil {
			return nil
		}
		return suitTaskSets(t, r, s)
	}
	return changeDefinition(t, r, s, in)
}

// changeDefinition checks the definition that the service will have, where the request says something about how its tasks start. A service
// whose definition was deregistered goes on, and can be scaled.
func changeDefinition(t *state.Tables, r *frontdoor.Request, s *ecs.Service, in *awsecs.UpdateServiceInput) error {
	name := text(in.TaskDefinition)
	if name == "" {
		if !in.ForceNewDeployment && in.NetworkConfiguration == nil && in.EnableExecuteCommand == nil && in.CapacityProviderStrategy == nil && in.PlatformVersion == nil {
			return serviceCapacity(s).placeable(s.PlacementConstraints, s.PlacementStrategy)
		}
		name = string(s.TaskDefinition)
	}
	d, err := resolveDefinition(t, r, name)
	if err != nil {
		return err
	}
	on, err := changedCapacity(t, s, in)
	if err != nil {
		return err
	}
	if err := servable(t, d, s, on, "updated"); err != nil {
		return err
	}
	on.into(s)
	s.TaskDefinition = d.ARN()
	return nil
}
