package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

// updateServicePrimaryTaskSet makes a task set the PRIMARY one of its service, which shows its task definition and launch type from then on.
func (a *API) updateServicePrimaryTaskSet(
	ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateServicePrimaryTaskSetInput,
) (*awsecs.UpdateServicePrimaryTaskSetOutput, error) {
	var out *awsecs.UpdateServicePrimaryTaskSetOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := externalService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		s = s.Clone()
		set, err := livingTaskSet(s, "primaryTaskSet", in.PrimaryTaskSet)
		if err != nil {
			return err
		}
		set = s.Promote(set.ID, now())
		tx.Put(s)
		out = &awsecs.UpdateServicePrimaryTaskSetOutput{TaskSet: new(taskSetView(tx.Tables, s, set, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
