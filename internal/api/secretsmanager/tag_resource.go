package secretsmanager

import (
	"context"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// tagResource adds tags to a secret; those of the same keys are replaced.
func (a *API) tagResource(ctx context.Context, r *frontdoor.Request, in *awssm.TagResourceInput) (*awssm.TagResourceOutput, error) {
	var c constraint.Check
	c.Present("tags", in.Tags != nil)
	if err := firstOf(validateID(&c, in.SecretId), validateTags(in.Tags)); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		changed.Tags = withTags(s.Tags, in.Tags)
		if len(changed.Tags) > mostTags {
			return tooManyTags()
		}
		changed.ChangedDate = now()
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awssm.TagResourceOutput{}, nil
}
