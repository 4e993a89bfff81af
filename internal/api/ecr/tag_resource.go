package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// tagResource adds tags to a repository; those of the same keys are replaced.
func (a *API) tagResource(ctx context.Context, r *frontdoor.Request, in *awsecr.TagResourceInput) (*awsecr.TagResourceOutput, error) {
	var c check
	c.needed("resourceArn", in.ResourceArn, 1, mostARN)
	if in.Tags == nil {
		c.fail("tags", "must not be null")
	}
	c.first(validateTags(in.Tags))
	if c.err != nil {
		return nil, c.err
	}
	_, err := a.update(ctx, func(t *state.Tables) (*ecr.Repository, error) { return findARN(t, r, *in.ResourceArn) }, func(of *ecr.Repository) error {
		of.Tags = withTags(of.Tags, in.Tags)
		if len(of.Tags) > mostTags {
			return tooManyTags()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.TagResourceOutput{}, nil
}

const mostARN = 2048
