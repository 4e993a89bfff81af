package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) attachUserPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.AttachUserPolicyInput) (*awsiam.AttachUserPolicyOutput, error) {
	return &awsiam.AttachUserPolicyOutput{}, a.attach(ctx, user, r.Scope.Account, *in.UserName, *in.PolicyArn)
}

func (a *API) attachGroupPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.AttachGroupPolicyInput) (*awsiam.AttachGroupPolicyOutput, error) {
	return &awsiam.AttachGroupPolicyOutput{}, a.attach(ctx, group, r.Scope.Account, *in.GroupName, *in.PolicyArn)
}

func (a *API) attachRolePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.AttachRolePolicyInput) (*awsiam.AttachRolePolicyOutput, error) {
	return &awsiam.AttachRolePolicyOutput{}, a.attach(ctx, role, r.Scope.Account, *in.RoleName, *in.PolicyArn)
}
