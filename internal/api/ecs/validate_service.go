package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// validateNewService checks what of CreateService needs no look at the records.
func (a *API) validateNewService(in *awsecs.CreateServiceInput) error {
	if text(in.ServiceName) == "" {
		return apierr.InvalidParameter("Service name can not be blank.")
	}
	if err := validateName("Service name", *in.ServiceName); err != nil {
		return err
	}
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return apierr.InvalidParameter("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	for _, m := range []struct {
		name string
		is   bool
	}{
		{"loadBalancers", len(in.LoadBalancers) > 0}, {"serviceRegistries", len(in.ServiceRegistries) > 0},
		{"capacityProviderStrategy", len(in.CapacityProviderStrategy) > 0}, {"networkConfiguration", in.NetworkConfiguration != nil},
		{"serviceConnectConfiguration", in.ServiceConnectConfiguration != nil && in.ServiceConnectConfiguration.Enabled},
		{"volumeConfigurations", len(in.VolumeConfigurations) > 0}, {"vpcLatticeConfigurations", len(in.VpcLatticeConfigurations) > 0},
		{"schedulingStrategy DAEMON", in.SchedulingStrategy == types.SchedulingStrategyDaemon},
		{"launchType " + string(in.LaunchType), in.LaunchType == types.LaunchTypeFargate || in.LaunchType == types.LaunchTypeManagedInstances},
		{"deploymentController", in.DeploymentController != nil && in.DeploymentController.Type != types.DeploymentControllerTypeEcs},
	} {
		if m.is {
			return notActedOn(m.name)
		}
	}
	if err := validateServiceEnums(in.LaunchType, in.SchedulingStrategy, in.PropagateTags, in.AvailabilityZoneRebalancing); err != nil {
		return err
	}
	switch {
	case text(in.Role) != "":
		return apierr.InvalidParameter("IAM roles are only valid for services configured to use load balancers.")
	case text(in.PlatformVersion) != "":
		return apierr.InvalidParameter("The platform version must be null when specifying an EC2 launch type.")
	case text(in.TaskDefinition) == "":
		return apierr.InvalidParameter("TaskDefinition can not be blank.")
	case in.HealthCheckGracePeriodSeconds != nil:
		return apierr.InvalidParameter("Health check grace period is only valid for services configured to use load balancers")
	}
	if err := a.validateDesired(in.DesiredCount); err != nil {
		return err
	}
	if err := validateTags(in.Tags); err != nil {
		return err
	}
	if err := validateStrategies(in.PlacementStrategy); err != nil {
		return err
	}
	if err := validateConstraints(in.PlacementConstraints); err != nil {
		return err
	}
	return validateDeployment(in.DeploymentConfiguration, in.AvailabilityZoneRebalancing)
}

func validateServiceEnums(l types.LaunchType, s types.SchedulingStrategy, p types.PropagateTags, z types.AvailabilityZoneRebalancing) error {
	if validateEnum("launchType", l) != nil {
		return apierr.ClientException("launch type should be one of [EC2,FARGATE,EXTERNAL]")
	}
	for _, err := range []error{validateEnum("schedulingStrategy", s), validateEnum("propagateTags", p), validateEnum("availabilityZoneRebalancing", z)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *API) validateDesired(n *int32) error {
	switch {
	case n == nil:
	case *n < 0:
		return apierr.InvalidParameter("desiredCount must not be negative, but was %d", *n)
	case int(*n) > a.config.Quotas.TasksPerService:
		return apierr.InvalidParameter("desiredCount must be at most %d, the quota of tasks per service, but was %d", a.config.Quotas.TasksPerService, *n)
	}
	return nil
}

// validateDeployment checks a deployment configuration; what it does not say has ECS's defaults.
func validateDeployment(c *types.DeploymentConfiguration, z types.AvailabilityZoneRebalancing) error {
	if c == nil {
		return nil
	}
	switch {
	case c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling:
		return notActedOn("deploymentConfiguration.strategy " + string(c.Strategy))
	case c.Alarms != nil && c.Alarms.Enable:
		return notActedOn("deploymentConfiguration.alarms")
	case len(c.LifecycleHooks) > 0:
		return notActedOn("deploymentConfiguration.lifecycleHooks")
	case c.LinearConfiguration != nil || c.CanaryConfiguration != nil:
		return notActedOn("deploymentConfiguration.linearConfiguration and canaryConfiguration")
	case c.BakeTimeInMinutes != nil && *c.BakeTimeInMinutes != 0:
		return notActedOn("deploymentConfiguration.bakeTimeInMinutes")
	}
	low, high := valueOr(c.MinimumHealthyPercent, 100), valueOr(c.MaximumPercent, 200)
	switch {
	case low < 0:
		return apierr.InvalidParameter("minimumHealthyPercent must not be negative")
	case low > 100:
		return apierr.InvalidParameter("minimumHealthyPercent must be at most 100")
	case high < 0 || high > 10000:
		return apierr.InvalidParameter("maximumPercent must be between 0 and 10000")
	case high < low:
		return apierr.InvalidParameter("maximumPercent must be greater than or equal to minimumHealthyPercent")
	case low == 100 && high == 100:
		return apierr.InvalidParameter("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case high == 0:
		return apierr.InvalidParameter("maximumPercent must be greater than 0")
	case z == types.AvailabilityZoneRebalancingEnabled && high <= 100:
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support maximumPercent <= 100%%")
	}
	return validateBreaker(c.DeploymentCircuitBreaker)
}

func validateBreaker(b *types.DeploymentCircuitBreaker) error {
	if b == nil {
		return nil
	}
	if b.Rollback && !b.Enable {
		return apierr.InvalidParameter("The deployment circuit breaker must be enabled for its rollback to be.")
	}
	if t := b.ThresholdConfiguration; t != nil {
		if t.Type == "" || validateEnum("thresholdConfiguration.type", t.Type) != nil {
			return apierr.InvalidParameter("thresholdConfiguration.type should be one of [COUNT,BOUNDED_PERCENT,UNBOUNDED_PERCENT]")
		}
		if t.Value < 1 {
			return apierr.InvalidParameter("thresholdConfiguration.value must be at least 1")
		}
	}
	return nil
}

// filledDeployment is the configuration with ECS's defaults.
func filledDeployment(c *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	d := types.DeploymentConfiguration{}
	if c != nil {
		d = *c
	}
	d.MinimumHealthyPercent, d.MaximumPercent = override(d.MinimumHealthyPercent, aws.Int32(100)), override(d.MaximumPercent, aws.Int32(200))
	d.Strategy, d.BakeTimeInMinutes = types.DeploymentStrategyRolling, aws.Int32(0)
	b := types.DeploymentCircuitBreaker{}
	if d.DeploymentCircuitBreaker != nil {
		b = *d.DeploymentCircuitBreaker
	}
	if b.Enable {
		if b.ResetOnHealthyTask == nil {
			b.ResetOnHealthyTask = aws.Bool(true)
		}
		if b.ThresholdConfiguration == nil {
			b.ThresholdConfiguration = &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
		}
	}
	d.DeploymentCircuitBreaker = &b
	return &d
}

// serviceDefinition checks that a service can use a definition.
func serviceDefinition(d *ecs.TaskDefinition) error {
	switch {
	case d.Definition.Status != types.TaskDefinitionStatusActive:
		return apierr.ClientException("TaskDefinition is inactive")
	case d.Definition.NetworkMode == types.NetworkModeAwsvpc:
		return apierr.InvalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	return nil
}
