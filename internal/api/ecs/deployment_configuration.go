package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// ECS's defaults for services of scheduling strategy REPLICA.
const (
	defaultMaximumPercent        = 200
	defaultMinimumHealthyPercent = 100
	defaultBreakerPercent        = 50
	mostMaximumPercent           = 100_000
)

// validateDeploymentConfiguration checks the members that a request has; how the percentages fit together is for merged ones to say.
func validateDeploymentConfiguration(c *types.DeploymentConfiguration) error {
	if c == nil {
		return nil
	}
	if err := validateEnum("deploymentConfiguration.strategy", c.Strategy); err != nil {
		return err
	}
	switch {
	case c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling:
		return notActedOn("deploymentConfiguration.strategy " + string(c.Strategy))
	case len(c.LifecycleHooks) > 0:
		return notActedOn("deploymentConfiguration.lifecycleHooks")
	case c.LinearConfiguration != nil:
		return notActedOn("deploymentConfiguration.linearConfiguration")
	case c.CanaryConfiguration != nil:
		return notActedOn("deploymentConfiguration.canaryConfiguration")
	case c.EarlySuccessCriteria != nil:
		return notActedOn("deploymentConfiguration.earlySuccessCriteria")
	case c.BakeTimeInMinutes != nil && *c.BakeTimeInMinutes < 0:
		return apierr.InvalidParameter("bakeTimeInMinutes must be at least 0")
	case c.BakeTimeInMinutes != nil && *c.BakeTimeInMinutes > 0:
		return notActedOn("deploymentConfiguration.bakeTimeInMinutes")
	}
	if err := validateAlarms(c.Alarms); err != nil {
		return err
	}
	return validateBreaker(c.DeploymentCircuitBreaker)
}

func validateBreaker(b *types.DeploymentCircuitBreaker) error {
	if b == nil || b.ThresholdConfiguration == nil {
		return nil
	}
	t := b.ThresholdConfiguration
	if t.Type == "" {
		return apierr.InvalidParameter("deploymentCircuitBreaker.thresholdConfiguration.type should not be null or empty.")
	}
	if t.Value < 1 {
		return apierr.InvalidParameter("deploymentCircuitBreaker.thresholdConfiguration.value must be at least 1, but was %d", t.Value)
	}
	return validateEnum("deploymentCircuitBreaker.thresholdConfiguration.type", t.Type)
}

// mergeDeploymentConfiguration returns old with what a request changes; old is nil for a new service, which takes ECS's defaults. An error
// says that the percentages would keep every deployment from going on.
func mergeDeploymentConfiguration(old, sent *types.DeploymentConfiguration) (*types.DeploymentConfiguration, error) {
	c := types.DeploymentConfiguration{
		MaximumPercent: new(int32(defaultMaximumPercent)), MinimumHealthyPercent: new(int32(defaultMinimumHealthyPercent)),
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{}, Strategy: types.DeploymentStrategyRolling, BakeTimeInMinutes: new(int32(0)),
	}
	if old != nil {
		c = *old
	}
	if sent != nil {
		c.MaximumPercent = override(sent.MaximumPercent, c.MaximumPercent)
		c.MinimumHealthyPercent = override(sent.MinimumHealthyPercent, c.MinimumHealthyPercent)
		if sent.DeploymentCircuitBreaker != nil {
			c.DeploymentCircuitBreaker = filledBreaker(*sent.DeploymentCircuitBreaker)
		}
		if sent.Alarms != nil {
			c.Alarms = storedAlarms(sent.Alarms)
		}
	}
	return &c, validatePercents(*c.MinimumHealthyPercent, *c.MaximumPercent)
}

// filledBreaker is a circuit breaker with the defaults that ECS shows once it is enabled.
func filledBreaker(b types.DeploymentCircuitBreaker) *types.DeploymentCircuitBreaker {
	if !b.Enable {
		return &b
	}
	if b.ResetOnHealthyTask == nil {
		b.ResetOnHealthyTask = new(true)
	}
	if b.ThresholdConfiguration == nil {
		b.ThresholdConfiguration = &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: defaultBreakerPercent}
	}
	return &b
}

func validatePercents(low, high int32) error {
	switch {
	case low < 0:
		return apierr.InvalidParameter("minimumHealthyPercent must be at least 0")
	case low > 100:
		return apierr.InvalidParameter("minimumHealthyPercent must be at most 100")
	case high < 100:
		return apierr.InvalidParameter("maximumPercent must be at least 100")
	case high > mostMaximumPercent:
		return apierr.InvalidParameter("maximumPercent must be at most %d", mostMaximumPercent)
	case low == 100 && high == 100:
		return apierr.InvalidParameter("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return nil
}
