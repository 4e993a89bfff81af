package logs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
)

// retentions are the days for which a group can keep its events.
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// putRetentionPolicy says for how long a group keeps its events. Older ones are not read any more at once, and go in the next sweep.
func (a *API) putRetentionPolicy(ctx context.Context, r *frontdoor.Request, in *cwl.PutRetentionPolicyInput) (*cwl.PutRetentionPolicyOutput, error) {
	var c constraint.Check
	checkGroup(&c, in.LogGroupName)
	c.Present("retentionInDays", in.RetentionInDays != nil)
	if err := broken(&c); err != nil {
		return nil, err
	}
	if !slices.Contains(retentions, *in.RetentionInDays) {
		return nil, invalid("Invalid retention value. Valid values are: [%s]", strings.Trim(strings.ReplaceAll(fmt.Sprint(retentions), " ", ", "), "[]"))
	}
	err := a.changeGroup(ctx, byName(r, *in.LogGroupName), func(g *logs.Group) error {
		g.RetentionInDays = *in.RetentionInDays
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.PutRetentionPolicyOutput{}, nil
}
