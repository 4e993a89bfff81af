package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
)

// daemonDefaults are ECS's defaults for services of scheduling strategy DAEMON: their tasks stop before new ones start.
func daemonDefaults() *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{
		MaximumPercent: new(int32(100)), MinimumHealthyPercent: new(int32(0)),
		DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{}, Strategy: types.DeploymentStrategyRolling, BakeTimeInMinutes: new(int32(0)),
	}
}

// validateDaemon refuses what a service of scheduling strategy DAEMON cannot have: it runs one task on each container instance that suits it.
func (s *serviceSettings) validateDaemon() error {
	switch {
	case s.desiredCount != nil:
		return apierr.InvalidParameter("The daemon scheduling strategy does not support a desired count for services.")
	case len(s.strategy) > 0:
		return apierr.InvalidParameter("The daemon scheduling strategy does not support placement strategies.")
	case s.rebalancing == types.AvailabilityZoneRebalancingEnabled:
		return apierr.InvalidParameter("Availability Zone Rebalancing does not support DAEMON services")
	case s.configuration != nil && s.configuration.MaximumPercent != nil && *s.configuration.MaximumPercent > 100:
		return apierr.InvalidParameter("The daemon scheduling strategy does not support values above 100 for maximumPercent.")
	}
	return nil
}
