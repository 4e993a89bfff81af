package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) deleteUserPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteUserPolicyInput) (*awsiam.DeleteUserPolicyOutput, error) {
	return &awsiam.DeleteUserPolicyOutput{}, a.deleteInline(ctx, user, r.Scope.Account, *in.UserName, *in.PolicyName)
}

func (a *API) deleteGroupPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteGroupPolicyInput) (*awsiam.DeleteGroupPolicyOutput, error) {
	return &awsiam.DeleteGroupPolicyOutput{}, a.deleteInline(ctx, group, r.Scope.Account, *in.GroupName, *in.PolicyName)
}

func (a *API) deleteRolePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteRolePolicyInput) (*awsiam.DeleteRolePolicyOutput, error) {
	return &awsiam.DeleteRolePolicyOutput{}, a.deleteInline(ctx, role, r.Scope.Account, *in.RoleName, *in.PolicyName)
}
