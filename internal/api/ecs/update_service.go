package ecs

import (
	"context"
	"reflect"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateService changes a service. What changes its tasks (the definition, how they are placed, a forced deployment) begins a new deployment;
// the desired count and how deployments go do not.
func (a *API) updateService(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateServiceInput) (*awsecs.UpdateServiceOutput, error) {
	if err := a.validateUpdate(in); err != nil {
		return nil, err
	}
	id, err := newDeploymentID()
	if err != nil {
		return nil, err
	}
	var out types.Service
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := a.service(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if old == nil {
			return apierr.ServiceNotFound()
		}
		if old.Status != ecs.Active {
			return apierr.ServiceNotActive()
		}
		s := old.Clone()
		again, err := applyUpdate(tx.Tables, r, in, s)
		if err != nil {
			return err
		}
		if again {
			s.Begin(id, now())
		}
		if !reflect.DeepEqual(old, s) {
			tx.Put(s)
		}
		out = serviceView(tx.Tables, s, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.UpdateServiceOutput{Service: &out}, nil
}

func (a *API) validateUpdate(in *awsecs.UpdateServiceInput) error {
	if text(in.Service) == "" {
		return apierr.InvalidParameter("Service name can not be blank.")
	}
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"loadBalancers", len(in.LoadBalancers) > 0}, {"serviceRegistries", len(in.ServiceRegistries) > 0},
		{"capacityProviderStrategy", len(in.CapacityProviderStrategy) > 0}, {"networkConfiguration", in.NetworkConfiguration != nil},
		{"serviceConnectConfiguration", in.ServiceConnectConfiguration != nil && in.ServiceConnectConfiguration.Enabled},
		{"volumeConfigurations", len(in.VolumeConfigurations) > 0}, {"vpcLatticeConfigurations", len(in.VpcLatticeConfigurations) > 0},
		{"deploymentController", in.DeploymentController != nil && in.DeploymentController.Type != types.DeploymentControllerTypeEcs},
	} {
		if m.is {
			return notActedOn(m.name)
		}
	}
	if err := validateServiceEnums("", "", in.PropagateTags, in.AvailabilityZoneRebalancing); err != nil {
		return err
	}
	switch {
	case text(in.PlatformVersion) != "":
		return apierr.InvalidParameter("The platform version must be null when specifying an EC2 launch type.")
	case in.HealthCheckGracePeriodSeconds != nil:
		return apierr.InvalidParameter("Health check grace period is only valid for services configured to use load balancers")
	}
	if err := a.validateDesired(in.DesiredCount); err != nil {
		return err
	}
	if err := validateStrategies(in.PlacementStrategy); err != nil {
		return err
	}
	return validateConstraints(in.PlacementConstraints)
}

// applyUpdate changes s as the request says, and reports whether its tasks must be replaced.
func applyUpdate(t *state.Tables, r *frontdoor.Request, in *awsecs.UpdateServiceInput, s *ecs.Service) (again bool, err error) {
	again = in.ForceNewDeployment
	if in.TaskDefinition != nil {
		d, err := resolveDefinition(t, r, *in.TaskDefinition)
		if err != nil {
			return false, err
		}
		if err := serviceDefinition(d); err != nil {
			return false, err
		}
		again = again || d.ARN() != s.TaskDefinition
		s.TaskDefinition = d.ARN()
	}
	if in.DesiredCount != nil {
		s.DesiredCount = int(*in.DesiredCount)
	}
	if in.AvailabilityZoneRebalancing != "" {
		s.AvailabilityZoneRebalancing = in.AvailabilityZoneRebalancing
	}
	if in.DeploymentConfiguration != nil {
		merged := mergedDeployment(s.DeploymentConfiguration, in.DeploymentConfiguration)
		if err := validateDeployment(merged, s.AvailabilityZoneRebalancing); err != nil {
			return false, err
		}
		s.DeploymentConfiguration = filledDeployment(merged)
	}
	if in.PlacementConstraints != nil {
		again = again || !reflect.DeepEqual(orEmpty(s.PlacementConstraints), in.PlacementConstraints)
		s.PlacementConstraints = in.PlacementConstraints
	}
	if in.PlacementStrategy != nil {
		again = again || !reflect.DeepEqual(orEmpty(s.PlacementStrategy), in.PlacementStrategy)
		s.PlacementStrategy = in.PlacementStrategy
	}
	if in.EnableECSManagedTags != nil {
		s.EnableECSManagedTags = *in.EnableECSManagedTags
	}
	if in.EnableExecuteCommand != nil {
		again = again || s.EnableExecuteCommand != *in.EnableExecuteCommand
		s.EnableExecuteCommand = *in.EnableExecuteCommand
	}
	if in.PropagateTags != "" {
		s.PropagateTags = in.PropagateTags
	}
	return again, nil
}

// mergedDeployment keeps of the old configuration what the new one does not say.
func mergedDeployment(old, new *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	m := *new
	if old == nil {
		return &m
	}
	m.MinimumHealthyPercent = override(m.MinimumHealthyPercent, old.MinimumHealthyPercent)
	m.MaximumPercent = override(m.MaximumPercent, old.MaximumPercent)
	if m.DeploymentCircuitBreaker == nil {
		m.DeploymentCircuitBreaker = old.DeploymentCircuitBreaker
	}
	return &m
}

// service finds the service that a request names, nil if there is none.
func (a *API) service(t *state.Tables, r *frontdoor.Request, clusterName, name *string) (*ecs.Service, error) {
	c, err := cluster(t, r, clusterName)
	if err != nil {
		return nil, err
	}
	x, err := serviceARN(c.ClusterArn, text(name))
	if err != nil {
		return nil, err
	}
	return t.Services.Get(x), nil
}
