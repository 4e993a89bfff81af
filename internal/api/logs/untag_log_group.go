package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// untagLogGroup is the older form of untagResource.
func (a *API) untagLogGroup(ctx context.Context, r *frontdoor.Request, in *cwl.UntagLogGroupInput) (*cwl.UntagLogGroupOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	checkTagKeys(&c, "tags", in.Tags, in.Tags != nil)
	if err := broken(&c); err != nil {
		return nil, err
	}
	err := a.changeGroup(ctx, byName(r, *in.LogGroupName), func(g *logs.Group) error {
		g.Tags = withoutTags(g.Tags, in.Tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.UntagLogGroupOutput{}, nil
}
