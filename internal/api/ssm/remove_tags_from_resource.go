package ssm

import (
	"context"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// removeTagsFromResource takes tags off a resource. A key that it does not have is none of its tags already.
func (a *API) removeTagsFromResource(ctx context.Context, r *frontdoor.Request, in *awsssm.RemoveTagsFromResourceInput) (*awsssm.RemoveTagsFromResourceOutput, error) {
	var c constraint.Check
	c.Present("tagKeys", in.TagKeys != nil)
	for _, key := range in.TagKeys {
		c.Text("tagKeys.member", &key, 1, mostTagKey)
	}
	if err := validateTagged(&c, in.ResourceType, in.ResourceId); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		found, err := findTagged(tx.Tables, r.Scope, in.ResourceType, *in.ResourceId)
		if err != nil {
			return err
		}
		tx.Put(found.with(withoutTags(found.tags, in.TagKeys)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsssm.RemoveTagsFromResourceOutput{}, nil
}
