package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// createCluster makes a cluster, or answers with the ACTIVE one of that name as it is. A deleted one of that name is made anew.
func (a *API) createCluster(ctx context.Context, r *frontdoor.Request, in *awsecs.CreateClusterInput) (*awsecs.CreateClusterOutput, error) {
	name := "default"
	if !blank(in.ClusterName) {
		name = *in.ClusterName
	}
	if err := validateNewCluster(name, in); err != nil {
		return nil, err
	}
	var out *types.Cluster
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c := tx.Clusters.Get(r.Scope.Cluster(name))
		if c == nil || c.Status == ecs.Inactive {
			c = &ecs.Cluster{
				ClusterArn: r.Scope.Cluster(name), Status: ecs.Active, CreatedAt: now(),
				Settings: newClusterSettings(in.Settings), Configuration: in.Configuration, Tags: in.Tags,
				CapacityProviders: in.CapacityProviders, DefaultCapacityProviderStrategy: in.DefaultCapacityProviderStrategy,
				ServiceConnectDefaults: serviceConnectDefaults(in.ServiceConnectDefaults),
			}
			tx.Put(c)
		}
		out = changedClusterView(tx.Tables, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.CreateClusterOutput{Cluster: out}, nil
}

func validateNewCluster(name string, in *awsecs.CreateClusterInput) error {
	if err := validateName("Cluster", name); err != nil {
		return err
	}
	if err := validateTags(in.Tags); err != nil {
		return err
	}
	if err := validateClusterSettings(in.Settings); err != nil {
		return err
	}
	if err := validateClusterConfiguration(in.Configuration); err != nil {
		return err
	}
	if err := validateClusterCapacity(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return err
	}
	return validateServiceConnectDefaults(in.ServiceConnectDefaults)
}

func validateServiceConnectDefaults(d *types.ClusterServiceConnectDefaultsRequest) error {
	if d != nil && d.Namespace == nil {
		return apierr.InvalidParameter("serviceConnectDefaults.namespace should not be null.")
	}
	return nil
}

// serviceConnectDefaults is what the cluster keeps of a request's; an empty namespace is none.
func serviceConnectDefaults(d *types.ClusterServiceConnectDefaultsRequest) *types.ClusterServiceConnectDefaults {
	if d == nil || blank(d.Namespace) {
		return nil
	}
	return &types.ClusterServiceConnectDefaults{Namespace: d.Namespace}
}
