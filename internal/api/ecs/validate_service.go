package ecs

import (
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// serviceSettings are what CreateService and UpdateService have in common.
type serviceSettings struct {
	desiredCount         *int32
	strategy             []types.PlacementStrategy
	constraints          []types.PlacementConstraint
	gracePeriod          *int32
	propagateTags        types.PropagateTags
	rebalancing          types.AvailabilityZoneRebalancing
	controller           *types.DeploymentController
	configuration        *types.DeploymentConfiguration
	capacityProviders    []types.CapacityProviderStrategyItem
	platformVersion      *string
	loadBalancers        []types.LoadBalancer
	registries           []types.ServiceRegistry
	serviceConnect       *types.ServiceConnectConfiguration
	volumes              []types.ServiceVolumeConfiguration
	lattice              []types.VpcLatticeConfiguration
	gateways             []types.GatewayConnector
	monitoring           *types.MonitoringConfiguration
	networkConfiguration *types.NetworkConfiguration
}

func createdSettings(in *awsecs.CreateServiceInput) *serviceSettings {
	return &serviceSettings{
		in.DesiredCount, in.PlacementStrategy, in.PlacementConstraints, in.HealthCheckGracePeriodSeconds, in.PropagateTags,
		in.AvailabilityZoneRebalancing, in.DeploymentController, in.DeploymentConfiguration, in.CapacityProviderStrategy, in.PlatformVersion,
		in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VolumeConfigurations, in.VpcLatticeConfigurations,
		in.GatewayConnectors, in.Monitoring, in.NetworkConfiguration,
	}
}

func updatedSettings(in *awsecs.UpdateServiceInput) *serviceSettings {
	return &serviceSettings{
		in.DesiredCount, in.PlacementStrategy, in.PlacementConstraints, in.HealthCheckGracePeriodSeconds, in.PropagateTags,
		in.AvailabilityZoneRebalancing, in.DeploymentController, in.DeploymentConfiguration, in.CapacityProviderStrategy, in.PlatformVersion,
		in.LoadBalancers, in.ServiceRegistries, in.ServiceConnectConfiguration, in.VolumeConfigurations, in.VpcLatticeConfigurations,
		in.GatewayConnectors, in.Monitoring, in.NetworkConfiguration,
	}
}

// validate checks what needs no look at the records: what is wrong, and what is not acted on. mostTasks is the quota of a service.
func (s *serviceSettings) validate(mostTasks int) error {
	if n := s.desiredCount; n != nil && *n < 0 {
		return apierr.InvalidParameter("desiredCount must be at least 0, but was %d", *n)
	} else if n != nil && int(*n) > mostTasks {
		return apierr.InvalidParameter("desiredCount must be at most %d, the quota of tasks of a service, but was %d", mostTasks, *n)
	}
	for _, check := range []func() error{
		s.validateController,
		s.validateCapacity,
		s.notServed,
		func() error { return validateStrategies(s.strategy) },
		func() error { return validateConstraints(s.constraints) },
		func() error { return validateEnum("propagateTags", s.propagateTags) },
		func() error { return validateEnum("availabilityZoneRebalancing", s.rebalancing) },
		func() error { return validateDeploymentConfiguration(s.configuration) },
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *serviceSettings) validateController() error {
	if s.controller == nil {
		return nil
	}
	switch t := s.controller.Type; t {
	case types.DeploymentControllerTypeEcs, types.DeploymentControllerTypeExternal:
		return nil
	case types.DeploymentControllerTypeCodeDeploy:
		return notActedOn("deploymentController.type " + string(t))
	default:
		return oneOf("deploymentController.type", string(t), t.Values())
	}
}

func (s *serviceSettings) validateCapacity() error {
	switch {
	case len(s.capacityProviders) > 0:
		return validateStrategy(s.capacityProviders)
	}
	return nil
}

// notServed refuses by name what AWS acts on and Berth does not. A service connect configuration that is not enabled says nothing.
func (s *serviceSettings) notServed() error {
	switch {
	case len(s.loadBalancers) > 0:
		return s.validateLoadBalancers()
	case len(s.registries) > 1:
		return apierr.InvalidParameter("service registries can have at most 1 items")
	case len(s.registries) > 0:
		return notActedOn("serviceRegistries")
	case s.serviceConnect != nil && s.serviceConnect.Enabled:
		return notActedOn("serviceConnectConfiguration")
	case len(s.volumes) > 0:
		return notActedOn("volumeConfigurations")
	case len(s.lattice) > 0:
		return notActedOn("vpcLatticeConfigurations")
	case len(s.gateways) > 0:
		return notActedOn("gatewayConnectors")
	case s.monitoring != nil:
		return notActedOn("monitoring")
	case s.gracePeriod != nil && *s.gracePeriod < 0:
		return apierr.InvalidParameter("healthCheckGracePeriodSeconds must be at least 0, but was %d", *s.gracePeriod)
	case s.gracePeriod != nil && *s.gracePeriod > 0:
		return apierr.InvalidParameter("Health check grace period is only valid for services configured to use load balancers")
	}
	return nil
}

func (s *serviceSettings) validateLoadBalancers() error {
	for _, b := range s.loadBalancers {
		switch {
		case text(b.TargetGroupArn) == "" && text(b.LoadBalancerName) == "":
			return apierr.InvalidParameter("Target Group ARN and Load Balancer Name cannot both be blank.")
		case text(b.TargetGroupArn) != "" && text(b.LoadBalancerName) != "":
			return apierr.InvalidParameter("loadBalancerName and targetGroupArn cannot both be specified.")
		}
	}
	return notActedOn("loadBalancers")
}

// servable checks a definition that a service, or a task set of it, is to run on a capacity. what is "created" or "updated".
func servable(t *state.Tables, d *ecs.TaskDefinition, s *ecs.Service, on *capacity, what string) error {
	if d.Definition.Status != types.TaskDefinitionStatusActive {
		return apierr.ClientException("TaskDefinition is inactive")
	}
	if err := constraintsInAll(s.PlacementConstraints, d); err != nil {
		return err
	}
	if err := on.placeable(s.PlacementConstraints, s.PlacementStrategy); err != nil {
		return err
	}
	if _, err := on.suits(t, arn.ScopeOf(s.ServiceArn), d); err != nil {
		return err
	}
	if s.EnableExecuteCommand && text(d.Definition.TaskRoleArn) == "" {
		return apierr.InvalidParameter("The service couldn't be %s because a valid taskRoleArn is not being used. "+
			"Specify a valid task role in your task definition and try again.", what)
	}
	return nil
}

// rebalances reports whether availability zones of a service can be rebalanced: there is room to start a task before another stops, its
// tasks are to be spread over the zones, and they may be in all of them.
func rebalances(s *ecs.Service) bool { return roomToRebalance(s) && overZones(s) }

func overZones(s *ecs.Service) bool {
	return s.LaunchType != types.LaunchTypeExternal && spreadsZones(s.PlacementStrategy) && !zoneConstrained(s.PlacementConstraints)
}

func roomToRebalance(s *ecs.Service) bool {
	high := s.DeploymentConfiguration.MaximumPercent
	return high == nil || *high > 100
}

// spreadsZones reports whether a strategy begins with a spread over availability zones, as the one does that services have by default.
func spreadsZones(strategy []types.PlacementStrategy) bool {
	return len(strategy) == 0 || strategy[0].Type == types.PlacementStrategyTypeSpread &&
		strings.TrimPrefix(text(strategy[0].Field), "attribute:") == ecs.AttributeZone
}

// validateRebalancing checks that a service with rebalancing can have it.
func validateRebalancing(s *ecs.Service) error {
	switch {
	case s.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled:
		return nil
	case s.LaunchType == types.LaunchTypeExternal:
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support services of launch type EXTERNAL")
	case !roomToRebalance(s):
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support maximumPercent <= %s", "100%")
	case zoneConstrained(s.PlacementConstraints):
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support %s as a placement constraint", "attribute:"+ecs.AttributeZone)
	case !spreadsZones(s.PlacementStrategy):
		return apierr.InvalidParameter("Availability Zone Rebalancing needs spread over attribute:ecs.availability-zone as the first placement strategy")
	}
	return nil
}
