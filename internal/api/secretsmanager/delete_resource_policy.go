package secretsmanager

import (
	"context"

	awssm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteResourcePolicy takes a secret's policy off.
func (a *API) deleteResourcePolicy(ctx context.Context, r *frontdoor.Request, in *awssm.DeleteResourcePolicyInput) (*awssm.DeleteResourcePolicyOutput, error) {
	var c constraint.Check
	if err := validateID(&c, in.SecretId); err != nil {
		return nil, err
	}
	var out *awssm.DeleteResourcePolicyOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := findUsable(tx.Tables, r.Scope, *in.SecretId)
		if err != nil {
			return err
		}
		if s.Policy != "" {
			changed := *s
			changed.Policy, changed.ChangedDate = "", now()
			tx.Put(&changed)
		}
		out = &awssm.DeleteResourcePolicyOutput{ARN: &s.Arn, Name: &s.Name}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
