package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// untagResource takes tags off a resource. A key that it does not have is no error.
func (a *API) untagResource(ctx context.Context, r *frontdoor.Request, in *awsecs.UntagResourceInput) (*awsecs.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, apierr.InvalidParameter("tagKeys can not be empty.")
	}
	for _, key := range in.TagKeys {
		if err := validateTagKey(key); err != nil {
			return nil, err
		}
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		x, err := findTaggable(tx.Tables, r, in.ResourceArn)
		if err != nil {
			return err
		}
		rest := slices.DeleteFunc(slices.Clone(x.tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, text(t.Key)) })
		if len(rest) != len(x.tags) {
			tx.Put(x.with(rest))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.UntagResourceOutput{}, nil
}
