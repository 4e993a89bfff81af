package ecr

import (
	"context"
	"time"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/ecr"
	"berth/internal/frontdoor"
)

// deleteLifecyclePolicy takes a repository's lifecycle policy away, and shows it.
func (a *API) deleteLifecyclePolicy(ctx context.Context, r *frontdoor.Request, in *awsecr.DeleteLifecyclePolicyInput) (*awsecr.DeleteLifecyclePolicyOutput, error) {
	var c check
	c.repository(in.RegistryId, in.RepositoryName)
	if c.err != nil {
		return nil, c.err
	}
	s := home(r, in.RegistryId)
	var old ecr.Repository
	changed, err := a.change(ctx, s, *in.RepositoryName, func(of *ecr.Repository) error {
		if of.LifecyclePolicy == "" {
			return about{of.Name, s.Account}.noLifecycle()
		}
		old = *of
		of.LifecyclePolicy = ""
		of.LifecycleRunAt = time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &awsecr.DeleteLifecyclePolicyOutput{RegistryId: &s.Account, RepositoryName: &changed.Name, LifecyclePolicyText: &old.LifecyclePolicy}
	if !old.LifecycleRunAt.IsZero() {
		out.LastEvaluatedAt = &old.LifecycleRunAt
	}
	return out, nil
}
