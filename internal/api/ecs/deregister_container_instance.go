package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deregisterContainerInstance makes an instance INACTIVE; the controllers end its session and its tasks' records, so that services replace
// them. While tasks are on it, it takes force.
func (a *API) deregisterContainerInstance(ctx context.Context, r *frontdoor.Request, in *awsecs.DeregisterContainerInstanceInput) (
	*awsecs.DeregisterContainerInstanceOutput, error,
) {
	var out types.ContainerInstance
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		i, err := namedInstance(tx.Tables, r, in.Cluster, in.ContainerInstance)
		if err != nil {
			return err
		}
		if tx.Tasks.Usage(i.ContainerInstanceArn).Tasks > 0 && !yes(in.Force) {
			return apierr.InvalidParameter("Found running tasks on the instance.")
		}
		i = i.Deregister(now())
		tx.Put(i)
		out = instanceView(tx.Tables, i, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeregisterContainerInstanceOutput{ContainerInstance: &out}, nil
}
