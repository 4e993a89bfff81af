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

// updateCluster changes what is given of a cluster: single settings, the configuration as a whole, the Service Connect default.
func (a *API) updateCluster(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateClusterInput) (*awsecs.UpdateClusterOutput, error) {
	if err := validateClusterConfiguration(in.Configuration); err != nil {
		return nil, err
	}
	if err := validateServiceConnectDefaults(in.ServiceConnectDefaults); err != nil {
		return nil, err
	}
	out, err := a.changeCluster(ctx, r, in.Cluster, in.Settings, func(_ *state.Tables, c *ecs.Cluster) error {
		if in.Configuration != nil {
			c.Configuration = in.Configuration
		}
		if in.ServiceConnectDefaults != nil {
			c.ServiceConnectDefaults = serviceConnectDefaults(in.ServiceConnectDefaults)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.UpdateClusterOutput{Cluster: out}, nil
}

// changeCluster stores settings and whatever change does in a copy of the ACTIVE cluster called name, and returns it as an answer shows it.
func (a *API) changeCluster(
	ctx context.Context, r *frontdoor.Request, name *string, settings []types.ClusterSetting, change func(*state.Tables, *ecs.Cluster) error,
) (*types.Cluster, error) {
	if blank(name) {
		return nil, apierr.InvalidParameter("cluster should not be null or empty.")
	}
	if err := validateClusterSettings(settings); err != nil {
		return nil, err
	}
	var out *types.Cluster
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, name)
		if err != nil {
			return err
		}
		changed := *c
		changed.Settings = mergeClusterSettings(c.Settings, settings)
		if err := change(tx.Tables, &changed); err != nil {
			return err
		}
		tx.Put(&changed)
		out = changedClusterView(tx.Tables, &changed)
		return nil
	})
	return out, err
}
