package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) listUserPolicies(_ context.Context, r *frontdoor.Request, in *awsiam.ListUserPoliciesInput) (*awsiam.ListUserPoliciesOutput, error) {
	names, marker, err := a.inlineNames(user, r.Scope.Account, *in.UserName, in.Marker, in.MaxItems)
	return &awsiam.ListUserPoliciesOutput{PolicyNames: names, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listGroupPolicies(_ context.Context, r *frontdoor.Request, in *awsiam.ListGroupPoliciesInput) (*awsiam.ListGroupPoliciesOutput, error) {
	names, marker, err := a.inlineNames(group, r.Scope.Account, *in.GroupName, in.Marker, in.MaxItems)
	return &awsiam.ListGroupPoliciesOutput{PolicyNames: names, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listRolePolicies(_ context.Context, r *frontdoor.Request, in *awsiam.ListRolePoliciesInput) (*awsiam.ListRolePoliciesOutput, error) {
	names, marker, err := a.inlineNames(role, r.Scope.Account, *in.RoleName, in.Marker, in.MaxItems)
	return &awsiam.ListRolePoliciesOutput{PolicyNames: names, Marker: marker, IsTruncated: marker != nil}, err
}
