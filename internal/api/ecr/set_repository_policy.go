package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

const mostPolicy = 10240 // characters

// setRepositoryPolicy attaches a policy to a repository, in the place of the one it has.
func (a *API) setRepositoryPolicy(ctx context.Context, r *frontdoor.Request, in *awsecr.SetRepositoryPolicyInput) (*awsecr.SetRepositoryPolicyOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.needed("policyText", in.PolicyText, 0, mostPolicy)
	if c.err != nil {
		return nil, c.err
	}
	if _, err := readPolicy(*in.PolicyText); err != nil {
		return nil, invalid("PolicyText", "Invalid repository policy provided")
	}
	s := home(r, in.RegistryId)
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		of.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.SetRepositoryPolicyOutput{RegistryId: &s.Account, RepositoryName: &changed.Name, PolicyText: &changed.Policy}, nil
}

// readPolicy reads a repository's policy. Its statements need not name a resource.
func readPolicy(text string) (*policy.Document, error) {
	return policy.Parse(text, policy.Resource)
}
