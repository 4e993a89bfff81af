package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateTaskSet gives a task set another scale; the controllers compute what it comes to.
func (a *API) updateTaskSet(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateTaskSetInput) (*awsecs.UpdateTaskSetOutput, error) {
	if in.Scale == nil {
		return nil, apierr.InvalidParameter("scale should not be null.")
	}
	if err := validateScale(in.Scale); err != nil {
		return nil, err
	}
	var out *awsecs.UpdateTaskSetOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := externalService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		s = s.Clone()
		set, err := livingTaskSet(s, "taskSet", in.TaskSet)
		if err != nil {
			return err
		}
		set.TaskSet.Scale, set.UpdatedAt = in.Scale.Value, now()
		tx.Put(s)
		out = &awsecs.UpdateTaskSetOutput{TaskSet: new(taskSetView(tx.Tables, s, set, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
