package ssm

import (
	"context"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// addTagsToResource adds tags to a resource; those of the same keys are replaced.
func (a *API) addTagsToResource(ctx context.Context, r *frontdoor.Request, in *awsssm.AddTagsToResourceInput) (*awsssm.AddTagsToResourceOutput, error) {
	var c constraint.Check
	c.Present("tags", in.Tags != nil)
	if err := firstOf(validateTagged(&c, in.ResourceType, in.ResourceId), validateTags(in.Tags)); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		found, err := findTagged(tx.Tables, r.Scope, in.ResourceType, *in.ResourceId)
		if err != nil {
			return err
		}
		tags := withTags(found.tags, in.Tags)
		if len(tags) > mostTags {
			return tooManyTags()
		}
		tx.Put(found.with(tags))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsssm.AddTagsToResourceOutput{}, nil
}
