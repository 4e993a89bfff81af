package logs

import (
	"context"

	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/state"
)

// putLogGroupDeletionProtection says whether a group may be deleted.
func (a *API) putLogGroupDeletionProtection(
	ctx context.Context, r *frontdoor.Request, in *cwl.PutLogGroupDeletionProtectionInput,
) (*cwl.PutLogGroupDeletionProtectionOutput, error) {
	var c constraint.Check
	c.Needed("logGroupIdentifier", in.LogGroupIdentifier, 1, mostIdentifier)
	c.Pattern("logGroupIdentifier", in.LogGroupIdentifier, identifierPattern)
	c.Present("deletionProtectionEnabled", in.DeletionProtectionEnabled != nil)
	if err := broken(&c); err != nil {
		return nil, err
	}
	find := func(t *state.Tables) (*logs.Group, error) { return identified(t, r.Scope, *in.LogGroupIdentifier) }
	err := a.changeGroup(ctx, find, func(g *logs.Group) error {
		g.DeletionProtection = *in.DeletionProtectionEnabled
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cwl.PutLogGroupDeletionProtectionOutput{}, nil
}
