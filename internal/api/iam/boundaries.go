package iam

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// boundaryOperations are the operations on permissions boundaries.
func (a *API) boundaryOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("PutUserPermissionsBoundary", a.onUser, a.putUserPermissionsBoundary, "UserName", "PermissionsBoundary"),
		operation("PutRolePermissionsBoundary", a.onRole, a.putRolePermissionsBoundary, "RoleName", "PermissionsBoundary"),
		operation("DeleteUserPermissionsBoundary", a.onUser, a.deleteUserPermissionsBoundary, "UserName"),
		operation("DeleteRolePermissionsBoundary", a.onRole, a.deleteRolePermissionsBoundary, "RoleName"),
	}
}

// checkBoundary checks that a permissions boundary, where there is one, is a managed policy.
func (a *API) checkBoundary(t *state.Tables, account, policy string) error {
	if policy == "" {
		return nil
	}
	if err := policyARN(policy); err != nil {
		return err
	}
	if a.lookup(t, account, policy) == nil {
		return noSuch("Scope ARN: %s does not exist or is not attachable.", policy)
	}
	return nil
}

// bound gives a user or role a permissions boundary, "" for none.
func (a *API) bound(ctx context.Context, k kind, account, name, policy string) error {
	return a.change(ctx, k, account, name, func(tx *state.Tx, e *iam.Entity) error {
		e.Boundary = policy
		return a.checkBoundary(tx.Tables, account, policy)
	})
}

func (a *API) putUserPermissionsBoundary(
	ctx context.Context, r *frontdoor.Request, in *awsiam.PutUserPermissionsBoundaryInput,
) (*awsiam.PutUserPermissionsBoundaryOutput, error) {
	return &awsiam.PutUserPermissionsBoundaryOutput{}, a.bound(ctx, user, r.Scope.Account, *in.UserName, *in.PermissionsBoundary)
}

func (a *API) putRolePermissionsBoundary(
	ctx context.Context, r *frontdoor.Request, in *awsiam.PutRolePermissionsBoundaryInput,
) (*awsiam.PutRolePermissionsBoundaryOutput, error) {
	return &awsiam.PutRolePermissionsBoundaryOutput{}, a.bound(ctx, role, r.Scope.Account, *in.RoleName, *in.PermissionsBoundary)
}

func (a *API) deleteUserPermissionsBoundary(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteUserPermissionsBoundaryInput,
) (*awsiam.DeleteUserPermissionsBoundaryOutput, error) {
	return &awsiam.DeleteUserPermissionsBoundaryOutput{}, a.bound(ctx, user, r.Scope.Account, *in.UserName, "")
}

func (a *API) deleteRolePermissionsBoundary(
	ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteRolePermissionsBoundaryInput,
) (*awsiam.DeleteRolePermissionsBoundaryOutput, error) {
	return &awsiam.DeleteRolePermissionsBoundaryOutput{}, a.bound(ctx, role, r.Scope.Account, *in.RoleName, "")
}
