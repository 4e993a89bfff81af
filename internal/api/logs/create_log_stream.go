package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// createLogStream makes an empty stream in a group.
func (a *API) createLogStream(ctx context.Context, r *frontdoor.Request, in *cwl.CreateLogStreamInput) (*cwl.CreateLogStreamOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	checkStream(&c, in.LogStreamName)
	if err := broken(&c); err != nil {
		return nil, err
	}
	g, err := group(a.store.View().Tables, r.Scope, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if err := a.streams.Create(ctx, logs.StreamName{Group: g.ID, Name: *in.LogStreamName}, logs.At(now())); err != nil {
		return nil, stored(err)
	}
	return &cwl.CreateLogStreamOutput{}, nil
}
