package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
)

// putImageTagMutability says whether a repository's tags may move from one image to another.
func (a *API) putImageTagMutability(ctx context.Context, r *frontdoor.Request, in *awsecr.PutImageTagMutabilityInput) (*awsecr.PutImageTagMutabilityOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if in.ImageTagMutability == "" {
		c.fail("imageTagMutability", "must not be null")
	}
	c.mutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		setMutability(of, in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.PutImageTagMutabilityOutput{
		RegistryId: &s.Account, RepositoryName: &changed.Name, ImageTagMutability: mutability(changed), ImageTagMutabilityExclusionFilters: exclusions(changed),
	}, nil
}
