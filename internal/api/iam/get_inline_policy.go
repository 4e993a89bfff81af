package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) getUserPolicy(_ context.Context, r *frontdoor.Request, in *awsiam.GetUserPolicyInput) (*awsiam.GetUserPolicyOutput, error) {
	e, p, err := a.findInline(user, r.Scope.Account, *in.UserName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetUserPolicyOutput{UserName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, nil
}

func (a *API) getGroupPolicy(_ context.Context, r *frontdoor.Request, in *awsiam.GetGroupPolicyInput) (*awsiam.GetGroupPolicyOutput, error) {
	e, p, err := a.findInline(group, r.Scope.Account, *in.GroupName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetGroupPolicyOutput{GroupName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, nil
}

func (a *API) getRolePolicy(_ context.Context, r *frontdoor.Request, in *awsiam.GetRolePolicyInput) (*awsiam.GetRolePolicyOutput, error) {
	e, p, err := a.findInline(role, r.Scope.Account, *in.RoleName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetRolePolicyOutput{RoleName: &e.Name, PolicyName: &p.Name, PolicyDocument: encoded(p.Document)}, nil
}
