package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// untagResource takes tags away from a log group; those that it has not are no error.
func (a *API) untagResource(ctx context.Context, r *frontdoor.Request, in *cwl.UntagResourceInput) (*cwl.UntagResourceOutput, error) {
	var c constraint.Check
	checkResource(&c, in.ResourceArn)
	checkTagKeys(&c, "tagKeys", in.TagKeys, in.TagKeys != nil)
	if err := broken(&c); err != nil {
		return nil, err
	}
	err := a.changeGroup(ctx, tagged(r, *in.ResourceArn), func(g *logs.Group) error {
		g.Tags = withoutTags(g.Tags, in.TagKeys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.UntagResourceOutput{}, nil
}
