package secretsmanager

import (
	"context"
	"slices"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

// untagResource takes tags off a secret. A key that it does not have is none of its tags already.
func (a *API) untagResource(ctx context.Context, r *frontdoor.Request, in *awssm.UntagResourceInput) (*awssm.UntagResourceOutput, error) {
	var c constraint.Check
	c.Present("tagKeys", in.TagKeys != nil)
	for _, key := range in.TagKeys {
		c.Text("tagKeys.member", &key, 1, mostTagKey)
	}
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		if reserved(key) {
			return nil, invalidParameter("TagKeys: the key %s is not allowed: tag keys can't start with aws:.", key)
		}
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		changed.Tags = slices.DeleteFunc(slices.Clone(s.Tags), func(t secret.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		changed.ChangedDate = now()
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awssm.UntagResourceOutput{}, nil
}
