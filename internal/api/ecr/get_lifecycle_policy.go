package ecr

import (
	"context"

	awsecr "github.com/aws/aws-sdk-go-v2/service/ecr"

	"berth/internal/frontdoor"
)

// getLifecyclePolicy shows a repository's lifecycle policy, and when it was last acted on.
func (a *API) getLifecyclePolicy(_ context.Context, r *frontdoor.Request, in *awsecr.GetLifecyclePolicyInput) (*awsecr.GetLifecyclePolicyOutput, error) {
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
	if found.LifecyclePolicy == "" {
		return nil, about{found.Name, s.Account}.noLifecycle()
	}
	out := &awsecr.GetLifecyclePolicyOutput{RegistryId: &s.Account, RepositoryName: &found.Name, LifecyclePolicyText: &found.LifecyclePolicy}
	if !found.LifecycleRunAt.IsZero() {
		out.LastEvaluatedAt = &found.LifecycleRunAt
	}
	return out, nil
}
