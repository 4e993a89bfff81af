package secretsmanager

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

const mostPolicy = 20480 // characters

// putResourcePolicy attaches a policy to a secret, in the place of the one it has.
func (a *API) putResourcePolicy(ctx context.Context, r *frontdoor.Request, in *awssm.PutResourcePolicyInput) (*awssm.PutResourcePolicyOutput, error) {
	var c constraint.Check
	c.Needed("resourcePolicy", in.ResourcePolicy, 1, mostPolicy)
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	if err := validatePolicy(*in.ResourcePolicy, aws.ToBool(in.BlockPublicPolicy)); err != nil {
		return nil, err
	}
	var out *awssm.PutResourcePolicyOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		changed := *s
		changed.Policy = *in.ResourcePolicy
		changed.ChangedDate = now()
		tx.Put(&changed)
		out = &awssm.PutResourcePolicyOutput{ARN: &s.Arn, Name: &s.Name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
