package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// deleteRetentionPolicy lets a group keep its events for ever.
func (a *API) deleteRetentionPolicy(ctx context.Context, r *frontdoor.Request, in *cwl.DeleteRetentionPolicyInput) (*cwl.DeleteRetentionPolicyOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	if err := broken(&c); err != nil {
		return nil, err
	}
	err := a.changeGroup(ctx, byName(r, *in.LogGroupName), func(g *logs.Group) error {
		g.RetentionInDays = 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.DeleteRetentionPolicyOutput{}, nil
}
