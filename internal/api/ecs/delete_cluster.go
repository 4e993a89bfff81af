package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteCluster makes a cluster INACTIVE. It is refused while anything lives in it.
func (a *API) deleteCluster(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteClusterInput) (*awsecs.DeleteClusterOutput, error) {
	if blank(in.Cluster) {
		return nil, apierr.InvalidParameter("cluster should not be null or empty.")
	}
	var out *types.Cluster
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		if err := clusterEmpty(tx.Tables, c.ClusterArn); err != nil {
			return err
		}
		gone := *c
		at := now()
		gone.Status, gone.InactiveAt = ecs.Inactive, &at
		tx.Put(&gone)
		out = clusterView(tx.Tables, &gone, clusterParts{})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeleteClusterOutput{Cluster: out}, nil
}

// clusterEmpty is AWS's refusal to delete a cluster that contains services, tasks or container instances, nil for an empty one.
func clusterEmpty(t *state.Tables, c arn.Cluster) error {
	n := t.Cluster(c)
	switch {
	case n.ActiveServices+n.DrainingServices > 0:
		return apierr.New("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
	case n.RunningTasks+n.PendingTasks+n.EndingTasks > 0:
		return apierr.New("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
	case n.Instances > 0:
		return apierr.New("ClusterContainsContainerInstancesException",
			"The Cluster cannot be deleted while Container Instances are active or draining.")
	}
	return nil
}
