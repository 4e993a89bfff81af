package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/record"
)

// listTagsLogGroup is the older form of listTagsForResource.
func (a *API) listTagsLogGroup(_ context.Context, r *frontdoor.Request, in *cwl.ListTagsLogGroupInput) (*cwl.ListTagsLogGroupOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	if err := broken(&c); err != nil {
		return nil, err
	}
	g, err := group(a.store.View().Tables, r.Scope, *in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &cwl.ListTagsLogGroupOutput{Tags: record.TagMap(g.Tags)}, nil
}
