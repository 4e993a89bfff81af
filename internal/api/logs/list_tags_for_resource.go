package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/record"
)

// listTagsForResource shows the tags of a log group.
func (a *API) listTagsForResource(_ context.Context, r *frontdoor.Request, in *cwl.ListTagsForResourceInput) (*cwl.ListTagsForResourceOutput, error) {
	var c constraint.Check
	checkResource(&c, in.ResourceArn)
	if err := broken(&c); err != nil {
		return nil, err
	}
	g, err := tagged(r, *in.ResourceArn)(a.store.View().Tables)
	if err != nil {
		return nil, err
	}
	return &cwl.ListTagsForResourceOutput{Tags: record.TagMap(g.Tags)}, nil
}
