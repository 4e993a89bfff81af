package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

func isExternal(c *types.DeploymentController) bool {
	return c != nil && c.Type == types.DeploymentControllerTypeExternal
}

// controllerOf is a new service's deployment controller.
func controllerOf(c *types.DeploymentController) *types.DeploymentController {
	if isExternal(c) {
		return c
	}
	return &types.DeploymentController{Type: types.DeploymentControllerTypeEcs}
}

// validateNewExternal refuses what a service with the deployment controller EXTERNAL cannot have: its task sets say what their tasks are made of.
func validateNewExternal(in *awsecs.CreateServiceInput) error {
	of := ""
	switch {
	case in.TaskDefinition != nil && *in.TaskDefinition == "":
		return apierr.InvalidParameter("Family should not be null or empty.")
	case in.TaskDefinition != nil:
		of = "TaskDefinition"
	case in.LaunchType != "":
		of = "LaunchType"
	case in.NetworkConfiguration != nil:
		of = "NetworkConfiguration"
	case text(in.PlatformVersion) != "":
		of = "PlatformVersion"
	case len(in.CapacityProviderStrategy) > 0:
		return apierr.InvalidParameter("CapacityProviderStrategy must be empty or null.")
	case len(in.LoadBalancers) > 0:
		return apierr.InvalidParameter("LoadBalancers must be empty or null.")
	case in.SchedulingStrategy == types.SchedulingStrategyDaemon:
		return apierr.InvalidParameter("The daemon scheduling strategy does not support the EXTERNAL deployment controller.")
	default:
		return validateExternalSettings(createdSettings(in))
	}
	return apierr.InvalidParameter("%s must be blank.", of)
}

// validateExternalSettings refuses what ECS does for its own deployments only.
func validateExternalSettings(s *serviceSettings) error {
	c := s.configuration
	switch {
	case s.rebalancing == types.AvailabilityZoneRebalancingEnabled:
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support the EXTERNAL deployment controller")
	case c != nil && c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.Enable:
		return apierr.InvalidParameter("Deployment circuit breaker feature can only be enabled with ECS deployment controller.")
	case c != nil && c.Alarms != nil && c.Alarms.Enable:
		return apierr.InvalidParameter("Deployment alarms can only be enabled with ECS deployment controller.")
	}
	return nil
}

// validateExternalUpdate refuses what only another task set can change.
func validateExternalUpdate(in *awsecs.UpdateServiceInput) error {
	const controller = "on services with a EXTERNAL deployment controller. Create a task set instead."
	switch {
	case text(in.TaskDefinition) != "":
		return apierr.InvalidParameter("Unable to update task definition " + controller)
	case in.NetworkConfiguration != nil:
		return apierr.InvalidParameter("Unable to update network parameters " + controller)
	case len(in.CapacityProviderStrategy) > 0:
		return apierr.InvalidParameter("Unable to update capacity provider strategy " + controller)
	case text(in.PlatformVersion) != "":
		return apierr.InvalidParameter("Unable to update platform version " + controller)
	case in.ForceNewDeployment:
		return apierr.InvalidParameter("Cannot force a new deployment " + controller)
	}
	return validateExternalSettings(updatedSettings(in))
}

// sameController refuses to hand a service over to another deployment controller.
func sameController(s *ecs.Service, c *types.DeploymentController) error {
	if c == nil || s.IsExternal() == isExternal(c) {
		return nil
	}
	return notActedOn("deploymentController other than the service's own")
}

// suitTaskSets checks the task sets' definitions against what an update of their service asks of them.
func suitTaskSets(t *state.Tables, r *frontdoor.Request, s *ecs.Service) error {
	for i := range s.Deployments {
		d, err := resolveDefinition(t, r, string(s.Deployments[i].TaskDefinition))
		if err != nil {
			return err
		}
		if err := servable(t, d, s, capacityOf(&s.Deployments[i]), "updated"); err != nil {
			return err
		}
	}
	return nil
}
