package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
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
		if !knownProvider(p) {
			return unknownProvider(p)
		}
		if slices.Contains(providers[:i], p) {
			return apierr.InvalidParameter("The specified capacity provider '%s' is given more than once.", p)
		}
	}
	return validateDefaultStrategy(providers, strategy)
}

func validateDefaultStrategy(providers []string, strategy []types.CapacityProviderStrategyItem) error {
	bases, err := validateStrategyItems("defaultCapacityProviderStrategy", strategy)
	if err != nil {
		return err
	}
	for _, s := range strategy {
		if !slices.Contains(providers, *s.CapacityProvider) {
			return notAssociated(*s.CapacityProvider)
		}
	}
	if bases > 1 {
		return apierr.InvalidParameter("The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one can have it.")
	}
	return nil
}

// validateStrategyItems checks each item of a strategy, and returns how many have a base.
func validateStrategyItems(member string, strategy []types.CapacityProviderStrategyItem) (bases int, err error) {
	if len(strategy) > mostStrategyItems {
		return 0, apierr.InvalidParameter("A capacity provider strategy can contain a maximum of %d capacity providers.", mostStrategyItems)
	}
	for i, s := range strategy {
		if blank(s.CapacityProvider) {
			return 0, apierr.InvalidParameter("%s.capacityProvider should not be null or empty.", member)
		}
		if slices.ContainsFunc(strategy[:i], func(o types.CapacityProviderStrategyItem) bool { return *o.CapacityProvider == *s.CapacityProvider }) {
			return 0, apierr.InvalidParameter("The specified capacity provider strategy contains the capacity provider '%s' more than once.", *s.CapacityProvider)
		}
		if s.Weight < 0 || s.Weight > mostWeight {
			return 0, apierr.InvalidParameter("The weight of the capacity provider '%s' must be between 0 and %d.", *s.CapacityProvider, mostWeight)
		}
		if s.Base < 0 || s.Base > mostBase {
			return 0, apierr.InvalidParameter("The base of the capacity provider '%s' must be between 0 and %d.", *s.CapacityProvider, mostBase)
		}
		if s.Base > 0 {
			bases++
		}
	}
	return bases, nil
}

// validateStrategy checks the strategy of a service or of RunTask.
func validateStrategy(strategy []types.CapacityProviderStrategyItem) error {
	bases, err := validateStrategyItems("capacityProviderStrategy", strategy)
	switch {
	case err != nil:
		return err
	case weighed(strategy) != nil:
		return weighed(strategy)
	case bases > 1:
		return apierr.InvalidParameter("There are multiple capacity providers in the specified capacity provider strategy with a base value defined. " +
			"Only one can have it.")
	}
	for _, s := range strategy {
		if !knownProvider(*s.CapacityProvider) {
			return unknownProvider(*s.CapacityProvider)
		}
	}
	return nil
}

// weighed refuses a strategy by which no task would go anywhere.
func weighed(strategy []types.CapacityProviderStrategyItem) error {
	if slices.ContainsFunc(strategy, func(s types.CapacityProviderStrategyItem) bool { return s.Weight > 0 }) {
		return nil
	}
	return apierr.InvalidParameter("There are no capacity providers in the capacity provider strategy with a weight value greater than zero. " +
		"Specify a weight value greater than zero for at least one of them and try again.")
}
