package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// AWS's limits on a strategy.
const (
	mostStrategyItems = 20
	mostWeight        = 1000
	mostBase          = 100000
)

// validateClusterCapacity checks a cluster's capacity providers and default strategy. Those of Fargate are the only ones that exist. An
// error is an InvalidParameterException.
func validateClusterCapacity(providers []string, strategy []types.CapacityProviderStrategyItem) error {
	for i, p := range providers {
		if p != "FARGATE" && p != "FARGATE_SPOT" {
			return apierr.InvalidParameter("The specified capacity provider '%s' was not found. Specify a valid capacity provider and try again.", p)
		}
		if slices.Contains(providers[:i], p) {
			return apierr.InvalidParameter("The specified capacity provider '%s' is given more than once.", p)
		}
	}
	return validateDefaultStrategy(providers, strategy)
}

func validateDefaultStrategy(providers []string, strategy []types.CapacityProviderStrategyItem) error {
	if len(strategy) > mostStrategyItems {
		return apierr.InvalidParameter("A capacity provider strategy can contain a maximum of %d capacity providers.", mostStrategyItems)
	}
	bases := 0
	for i, s := range strategy {
		if blank(s.CapacityProvider) {
			return apierr.InvalidParameter("defaultCapacityProviderStrategy.capacityProvider should not be null or empty.")
		}
		if !slices.Contains(providers, *s.CapacityProvider) {
			return apierr.InvalidParameter("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "+
				"Associate the capacity provider '%s' with the cluster and try again.", *s.CapacityProvider)
		}
		if slices.ContainsFunc(strategy[:i], func(o types.CapacityProviderStrategyItem) bool { return *o.CapacityProvider == *s.CapacityProvider }) {
			return apierr.InvalidParameter("The specified capacity provider strategy contains the capacity provider '%s' more than once.", *s.CapacityProvider)
		}
		if s.Weight < 0 || s.Weight > mostWeight {
			return apierr.InvalidParameter("The weight of the capacity provider '%s' must be between 0 and %d.", *s.CapacityProvider, mostWeight)
		}
		if s.Base < 0 || s.Base > mostBase {
			return apierr.InvalidParameter("The base of the capacity provider '%s' must be between 0 and %d.", *s.CapacityProvider, mostBase)
		}
		if s.Base > 0 {
			bases++
		}
	}
	if bases > 1 {
		return apierr.InvalidParameter("The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one can have it.")
	}
	return nil
}

// noDefaultStrategy refuses what names neither a launch type nor a strategy in a cluster that has a default strategy: AWS would follow that.
func noDefaultStrategy(c *ecs.Cluster, launchType types.LaunchType) error {
	if launchType != "" || len(c.DefaultCapacityProviderStrategy) == 0 {
		return nil
	}
	return apierr.InvalidParameter("Berth does not act on the cluster's defaultCapacityProviderStrategy yet; give launchType EC2. " +
		"docs/coverage.md lists what it acts on.")
}
