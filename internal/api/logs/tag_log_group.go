package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// tagLogGroup is the older form of tagResource.
func (a *API) tagLogGroup(ctx context.Context, r *frontdoor.Request, in *cwl.TagLogGroupInput) (*cwl.TagLogGroupOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	c.Present("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if err := broken(&c); err != nil {
		return nil, err
	}
	if err := validateTags(in.Tags); err != nil {
		return nil, err
	}
	err := a.changeGroup(ctx, byName(r, *in.LogGroupName), func(g *logs.Group) error { return addTags(g, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &cwl.TagLogGroupOutput{}, nil
}
