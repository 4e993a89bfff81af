package iam

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/iam"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) putUserPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.PutUserPolicyInput) (*awsiam.PutUserPolicyOutput, error) {
	return &awsiam.PutUserPolicyOutput{}, a.putInline(ctx, user, r.Scope.Account, *in.UserName, iam.Inline{Name: *in.PolicyName, Document: *in.PolicyDocument})
}

func (a *API) putGroupPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.PutGroupPolicyInput) (*awsiam.PutGroupPolicyOutput, error) {
	return &awsiam.PutGroupPolicyOutput{}, a.putInline(ctx, group, r.Scope.Account, *in.GroupName, iam.Inline{Name: *in.PolicyName, Document: *in.PolicyDocument})
}

func (a *API) putRolePolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.PutRolePolicyInput) (*awsiam.PutRolePolicyOutput, error) {
	return &awsiam.PutRolePolicyOutput{}, a.putInline(ctx, role, r.Scope.Account, *in.RoleName, iam.Inline{Name: *in.PolicyName, Document: *in.PolicyDocument})
}
