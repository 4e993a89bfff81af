package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) deletePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DeletePolicyInput) (*awsiam.DeletePolicyOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		p, err := a.findOwnPolicy(tx.Tables, r.Scope.Account, *in.PolicyArn)
		if err != nil {
			return err
		}
		if u := usage(tx.Tables, r.Scope.Account)[p.Arn]; u != (uses{}) {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. " +
				"The default version is deleted with the policy.")
		}
		tx.Delete(p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete policy %s: %w", *in.PolicyArn, err)
	}
	return &awsiam.DeletePolicyOutput{}, nil
}
