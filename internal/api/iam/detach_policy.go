package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) detachUserPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DetachUserPolicyInput) (*awsiam.DetachUserPolicyOutput, error) {
	return &awsiam.DetachUserPolicyOutput{}, a.detach(ctx, user, r.Scope.Account, *in.UserName, *in.PolicyArn)
}

func (a *API) detachGroupPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DetachGroupPolicyInput) (*awsiam.DetachGroupPolicyOutput, error) {
	return &awsiam.DetachGroupPolicyOutput{}, a.detach(ctx, group, r.Scope.Account, *in.GroupName, *in.PolicyArn)
}

func (a *API) detachRolePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.DetachRolePolicyInput) (*awsiam.DetachRolePolicyOutput, error) {
	return &awsiam.DetachRolePolicyOutput{}, a.detach(ctx, role, r.Scope.Account, *in.RoleName, *in.PolicyArn)
}
