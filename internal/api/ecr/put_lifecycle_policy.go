package ecr

import (
	"context"
	"time"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
)

// The length of a lifecycle policy, in characters.
const (
	leastLifecycle = 100
	mostLifecycle  = 30720
)

// putLifecyclePolicy gives a repository a lifecycle policy, in the place of the one it has. The next sweep acts on it.
func (a *API) putLifecyclePolicy(ctx context.Context, r *frontdoor.Request, in *awsecr.PutLifecyclePolicyInput) (*awsecr.PutLifecyclePolicyOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	c.needed("lifecyclePolicyText", in.LifecyclePolicyText, leastLifecycle, mostLifecycle)
	if c.err != nil {
		return nil, c.err
	}
	if _, err := ecr.ParseLifecycle(*in.LifecyclePolicyText); err != nil {
		return nil, invalid("LifecyclePolicyText", "Lifecycle policy validation failure: %s", err)
	}
	s := home(r, in.RegistryId)
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		of.LifecyclePolicy = *in.LifecyclePolicyText
		of.LifecycleRunAt = time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecr.PutLifecyclePolicyOutput{RegistryId: &s.Account, RepositoryName: &changed.Name, LifecyclePolicyText: &changed.LifecyclePolicy}, nil
}
