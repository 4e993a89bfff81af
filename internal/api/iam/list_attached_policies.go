package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) listAttachedUserPolicies(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListAttachedUserPoliciesInput,
) (*awsiam.ListAttachedUserPoliciesOutput, error) {
	list, marker, err := a.attached(user, r.Scope.Account, *in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &awsiam.ListAttachedUserPoliciesOutput{AttachedPolicies: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listAttachedGroupPolicies(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListAttachedGroupPoliciesInput,
) (*awsiam.ListAttachedGroupPoliciesOutput, error) {
	list, marker, err := a.attached(group, r.Scope.Account, *in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &awsiam.ListAttachedGroupPoliciesOutput{AttachedPolicies: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listAttachedRolePolicies(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListAttachedRolePoliciesInput,
) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	list, marker, err := a.attached(role, r.Scope.Account, *in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &awsiam.ListAttachedRolePoliciesOutput{AttachedPolicies: list, Marker: marker, IsTruncated: marker != nil}, err
}
