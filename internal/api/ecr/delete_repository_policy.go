package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
)

// deleteRepositoryPolicy takes a repository's policy away, and shows it.
func (a *API) deleteRepositoryPolicy(ctx context.Context, r *frontdoor.Request, in *awsecr.DeleteRepositoryPolicyInput) (*awsecr.DeleteRepositoryPolicyOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	var old string
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		if of.Policy == "" {
			return about{of.Name, s.Account}.noPolicy()
		}
		old, of.Policy = of.Policy, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.DeleteRepositoryPolicyOutput{RegistryId: &s.Account, RepositoryName: &changed.Name, PolicyText: &old}, nil
}
