package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
)

// validateResourcePolicy says whether a policy could be put: one that is no policy is an error, one that lets everybody in does not pass.
func (a *API) validateResourcePolicy(_ context.Context, r *frontdoor.Request, in *awssm.ValidateResourcePolicyInput) (*awssm.ValidateResourcePolicyOutput, error) {
	var c constraint.Check
	c.Needed("resourcePolicy", in.ResourcePolicy, 1, mostPolicy)
	if in.SecretId != nil {
		if err := validateID(&c, in.SecretId); err != nil {
			return nil, err
		}
		if _, err := findUsable(a.store.View().Tables, r.Scope, *in.SecretId); err != nil {
			return nil, err
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := validatePolicy(*in.ResourcePolicy, false); err != nil {
		return nil, err
	}
	out := &awssm.ValidateResourcePolicyOutput{PolicyValidationPassed: true, ValidationErrors: []types.ValidationErrorsEntry{}}
	if err := validatePolicy(*in.ResourcePolicy, true); err != nil {
		out.PolicyValidationPassed = false
		out.ValidationErrors = []types.ValidationErrorsEntry{{CheckName: aws.String("PUBLIC_POLICY"), ErrorMessage: aws.String(apierr.As(err).Message)}}
	}
	return out, nil
}
