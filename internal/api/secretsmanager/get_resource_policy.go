package secretsmanager

import (
	"context"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// getResourcePolicy shows a secret's policy, as it was put; none where there is none.
func (a *API) getResourcePolicy(_ context.Context, r *frontdoor.Request, in *awssm.GetResourcePolicyInput) (*awssm.GetResourcePolicyOutput, error) {
	var c constraint.Check
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	s, err := findUsable(a.store.View().Tables, r.Scope, *in.SecretId)
	if err != nil {
		return nil, err
	}
	return &awssm.GetResourcePolicyOutput{ARN: &s.Arn, Name: &s.Name, ResourcePolicy: filled(s.Policy)}, nil
}
