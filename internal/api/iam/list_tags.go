package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) listUserTags(_ context.Context, r *frontdoor.Request, in *awsiam.ListUserTagsInput) (*awsiam.ListUserTagsOutput, error) {
	list, marker, err := a.listTags(r, taggedUser(in.UserName), in.Marker, in.MaxItems)
	return &awsiam.ListUserTagsOutput{Tags: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listRoleTags(_ context.Context, r *frontdoor.Request, in *awsiam.ListRoleTagsInput) (*awsiam.ListRoleTagsOutput, error) {
	list, marker, err := a.listTags(r, taggedRole(in.RoleName), in.Marker, in.MaxItems)
	return &awsiam.ListRoleTagsOutput{Tags: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listPolicyTags(_ context.Context, r *frontdoor.Request, in *awsiam.ListPolicyTagsInput) (*awsiam.ListPolicyTagsOutput, error) {
	list, marker, err := a.listTags(r, a.shownPolicy(in.PolicyArn), in.Marker, in.MaxItems)
	return &awsiam.ListPolicyTagsOutput{Tags: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listInstanceProfileTags(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListInstanceProfileTagsInput,
) (*awsiam.ListInstanceProfileTagsOutput, error) {
	list, marker, err := a.listTags(r, taggedProfile(in.InstanceProfileName), in.Marker, in.MaxItems)
	return &awsiam.ListInstanceProfileTagsOutput{Tags: list, Marker: marker, IsTruncated: marker != nil}, err
}

func (a *API) listOpenIDConnectProviderTags(
	_ context.Context, r *frontdoor.Request, in *awsiam.ListOpenIDConnectProviderTagsInput,
) (*awsiam.ListOpenIDConnectProviderTagsOutput, error) {
	list, marker, err := a.listTags(r, taggedProvider(in.OpenIDConnectProviderArn), in.Marker, in.MaxItems)
	return &awsiam.ListOpenIDConnectProviderTagsOutput{Tags: list, Marker: marker, IsTruncated: marker != nil}, err
}
