package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/frontdoor"
)

// getRepositoryPolicy shows a repository's policy.
func (a *API) getRepositoryPolicy(_ context.Context, r *frontdoor.Request, in *awsecr.GetRepositoryPolicyInput) (*awsecr.GetRepositoryPolicyOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	found, err := find(a.store.View().Tables, s, *in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if found.Policy == "" {
		return nil, about{found.Name, s.Account}.noPolicy()
	}
	return &awsecr.GetRepositoryPolicyOutput{RegistryId: &s.Account, RepositoryName: &found.Name, PolicyText: &found.Policy}, nil
}
