package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/state"
)

// deleteLogGroup deletes a log group with its streams and events.
func (a *API) deleteLogGroup(ctx context.Context, r *frontdoor.Request, in *cwl.DeleteLogGroupInput) (*cwl.DeleteLogGroupOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	if err := broken(&c); err != nil {
		return nil, err
	}
	var id string
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := group(tx.Tables, r.Scope, *in.LogGroupName)
		if err != nil {
			return err
		}
		if g.DeletionProtection {
			return apierr.New("ValidationException", "The log group %s has deletion protection enabled. Disable it first.", g.Name)
		}
		id = g.ID
		tx.Delete(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := a.streams.Drop(ctx, logs.Span{Group: id}); err != nil { // nobody finds them any more, and Sweep tries again
		a.config.Log.Warn("the events of a deleted log group are still there", "logGroup", *in.LogGroupName, "err", err)
	}
	return &cwl.DeleteLogGroupOutput{}, nil
}
