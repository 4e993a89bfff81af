package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// tagResource adds tags to a log group.
func (a *API) tagResource(ctx context.Context, r *frontdoor.Request, in *cwl.TagResourceInput) (*cwl.TagResourceOutput, error) {
	var c constraint.Check
	checkResource(&c, in.ResourceArn)
	c.Present("tags", in.Tags != nil)
	checkTags(&c, in.Tags)
	if err := broken(&c); err != nil {
		return nil, err
	}
	if err := validateTags(in.Tags); err != nil {
		return nil, err
	}
	err := a.changeGroup(ctx, tagged(r, *in.ResourceArn), func(g *logs.Group) error { return addTags(g, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &cwl.TagResourceOutput{}, nil
}
