package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// putClusterCapacityProviders replaces a cluster's capacity providers and its default strategy; both must be given, and can be empty.
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
	out, err := a.changeCluster(ctx, r, in.Cluster, nil, func(c *ecs.Cluster) {
		c.CapacityProviders, c.DefaultCapacityProviderStrategy = orNone(in.CapacityProviders), orNone(in.DefaultCapacityProviderStrategy)
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.PutClusterCapacityProvidersOutput{Cluster: out}, nil
}
