package iam

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// updateRole changes what it is given. A description that is not given stays, and so does the longest session.
func (a *API) updateRole(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateRoleInput) (*awsiam.UpdateRoleOutput, error) {
	_, err := a.changeRole(ctx, r.Scope.Account, *in.RoleName, func(_ *state.Tx, role *iam.Role) error {
		if in.Description != nil {
			role.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			role.MaxSession = *in.MaxSessionDuration
		}
		return nil
	})
	return &awsiam.UpdateRoleOutput{}, err
}

// updateRoleDescription may change a service-linked role as well: its description is the account's.
func (a *API) updateRoleDescription(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateRoleDescriptionInput) (*awsiam.UpdateRoleDescriptionOutput, error) {
	var changed iam.Role
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		role, err := findRole(tx.Tables, r.Scope.Account, *in.RoleName)
		if err != nil {
			return err
		}
		changed = *role
		changed.Description = *in.Description
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsiam.UpdateRoleDescriptionOutput{Role: new(roleShape(&changed))}, nil
}

func (a *API) updateAssumeRolePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateAssumeRolePolicyInput) (*awsiam.UpdateAssumeRolePolicyOutput, error) {
	trust, err := trustPolicy(*in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	_, err = a.changeRole(ctx, r.Scope.Account, *in.RoleName, func(tx *state.Tx, role *iam.Role) error {
		role.Trust = *in.PolicyDocument
		return checkPrincipals(tx.Tables, trust)
	})
	return &awsiam.UpdateAssumeRolePolicyOutput{}, err
}
