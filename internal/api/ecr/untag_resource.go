package ecr

import (
	"context"
	"slices"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// untagResource takes tags off a repository. A key that it does not have is none of its tags already.
func (a *API) untagResource(ctx context.Context, r *frontdoor.Request, in *awsecr.UntagResourceInput) (*awsecr.UntagResourceOutput, error) {
	var c check
	c.needed("resourceArn", in.ResourceArn, 1, mostARN)
	if in.TagKeys == nil {
		c.fail("tagKeys", "must not be null")
	}
	for _, key := range in.TagKeys {
		c.first(validateKey(&key))
	}
	if c.err != nil {
		return nil, c.err
	}
	_, err := a.update(ctx, func(t *state.Tables) (*ecr.Repository, error) { return findARN(t, r, *in.ResourceArn) }, func(of *ecr.Repository) error {
		of.Tags = slices.DeleteFunc(slices.Clone(of.Tags), func(t ecr.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.UntagResourceOutput{}, nil
}
