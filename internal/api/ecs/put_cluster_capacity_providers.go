package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// putClusterCapacityProviders replaces a cluster's capacity providers and its default strategy; both must be given, and can be empty. A provider that
// services or tasks have cannot be removed.
func (a *API) putClusterCapacityProviders(
	ctx context.Context, r *frontdoor.Request, in *awsecs.PutClusterCapacityProvidersInput,
) (*awsecs.PutClusterCapacityProvidersOutput, error) {
	switch {
	case in.CapacityProviders == nil:
		return nil, apierr.InvalidParameter("capacityProviders should not be null.")
	case in.DefaultCapacityProviderStrategy == nil:
		return nil, apierr.InvalidParameter("defaultCapacityProviderStrategy should not be null.")
	}
	if err := validateClusterCapacity(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	out, err := a.changeCluster(ctx, r, in.Cluster, nil, func(t *state.Tables, c *ecs.Cluster) error {
		for _, p := range c.CapacityProviders {
			if !slices.Contains(in.CapacityProviders, p) && providerInUse(t, c, p) {
				return apierr.New("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
			}
		}
		c.CapacityProviders, c.DefaultCapacityProviderStrategy = orNone(in.CapacityProviders), orNone(in.DefaultCapacityProviderStrategy)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.PutClusterCapacityProvidersOutput{Cluster: out}, nil
}

// providerInUse reports whether a service of the cluster, one of its deployments or a task that has not stopped has a capacity provider.
func providerInUse(t *state.Tables, c *ecs.Cluster, provider string) bool {
	names := func(strategy []types.CapacityProviderStrategyItem) bool {
		return slices.ContainsFunc(strategy, func(s types.CapacityProviderStrategyItem) bool { return *s.CapacityProvider == provider })
	}
	for s := range t.Services.Under(string(c.ClusterArn.Service("")), "") {
		if s.Status != ecs.Inactive && (names(s.CapacityProviderStrategy) ||
			slices.ContainsFunc(s.Deployments, func(d ecs.Deployment) bool { return names(d.CapacityProviderStrategy) })) {
			return true
		}
	}
	for x := range t.Tasks.Under(string(c.ClusterArn.Task("")), "") {
		if x.CapacityProviderName == provider && !x.Over() {
			return true
		}
	}
	return false
}
