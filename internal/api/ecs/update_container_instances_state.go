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

// mostStates is how many container instances one UpdateContainerInstancesState can name.
const mostStates = 10

// updateContainerInstancesState makes container instances ACTIVE or DRAINING: a draining one gets no new tasks, and services replace theirs.
func (a *API) updateContainerInstancesState(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateContainerInstancesStateInput) (
	*awsecs.UpdateContainerInstancesStateOutput, error,
) {
	switch {
	case in.Status != types.ContainerInstanceStatusActive && in.Status != types.ContainerInstanceStatusDraining:
		return nil, apierr.InvalidParameter("Container instance status should be one of [ACTIVE,DRAINING]")
	case len(in.ContainerInstances) == 0:
		return nil, apierr.InvalidParameter("Container Instances cannot be empty.")
	case len(in.ContainerInstances) > mostStates:
		return nil, apierr.InvalidParameter("instanceIds can have at most %d items.", mostStates)
	}
	if err := noBlank("Container instance", in.ContainerInstances); err != nil {
		return nil, err
	}
	out := &awsecs.UpdateContainerInstancesStateOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		for _, name := range in.ContainerInstances {
			x, err := instanceARN(c.ClusterArn, name)
			if err != nil {
				return err
			}
			if i, reason := changeState(tx, x, string(in.Status)); reason != "" {
				out.Failures = append(out.Failures, failure(string(x), reason))
			} else {
				out.ContainerInstances = append(out.ContainerInstances, instanceView(tx.Tables, i, true))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// changeState gives an instance a status and returns it, or else the reason why it cannot have one.
func changeState(tx *state.Tx, a arn.Instance, status string) (*ecs.Instance, string) {
	i := tx.Instances.Get(a)
	switch {
	case i == nil:
		return nil, "MISSING"
	case i.Status == ecs.Inactive:
		return nil, "INACTIVE"
	case i.Status == status:
		return i, ""
	}
	n := *i
	n.Status = status
	n.Version++
	tx.Put(&n)
	return &n, ""
}
