package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// deleteLogStream deletes a stream with its events.
func (a *API) deleteLogStream(ctx context.Context, r *frontdoor.Request, in *cwl.DeleteLogStreamInput) (*cwl.DeleteLogStreamOutput, error) {
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
	if _, err := a.stream(ctx, g, *in.LogStreamName); err != nil {
		return nil, err
	}
	if err := a.streams.Drop(ctx, logs.Span{Group: g.ID, Stream: *in.LogStreamName}); err != nil {
		return nil, stored(err)
	}
	return &cwl.DeleteLogStreamOutput{}, nil
}

// stream finds a stream of a group. It is the first of those whose names begin with its own.
func (a *API) stream(ctx context.Context, g *logs.Group, name string) (logs.Stream, error) {
	for s, err := range a.streams.Streams(ctx, g.ID, name) {
		if err != nil {
			return s, err
		}
		if s.Name == name {
			return s, nil
		}
		break
	}
	return logs.Stream{}, noStream()
}
