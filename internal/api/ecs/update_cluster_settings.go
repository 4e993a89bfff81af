package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateClusterSettings changes the given settings of a cluster.
func (a *API) updateClusterSettings(
	ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateClusterSettingsInput,
) (*awsecs.UpdateClusterSettingsOutput, error) {
	if len(in.Settings) == 0 {
		return nil, apierr.InvalidParameter("settings can not be empty.")
	}
	out, err := a.changeCluster(ctx, r, in.Cluster, in.Settings, func(*state.Tables, *ecs.Cluster) error { return nil })
	if err != nil {
		return nil, err
	}
	return &awsecs.UpdateClusterSettingsOutput{Cluster: out}, nil
}
