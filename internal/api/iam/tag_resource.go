package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) tagUser(ctx context.Context, r *frontdoor.Request, in *awsiam.TagUserInput) (*awsiam.TagUserOutput, error) {
	return &awsiam.TagUserOutput{}, a.tag(ctx, r, taggedUser(in.UserName), in.Tags)
}

func (a *API) tagRole(ctx context.Context, r *frontdoor.Request, in *awsiam.TagRoleInput) (*awsiam.TagRoleOutput, error) {
	return &awsiam.TagRoleOutput{}, a.tag(ctx, r, taggedRole(in.RoleName), in.Tags)
}

func (a *API) tagPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.TagPolicyInput) (*awsiam.TagPolicyOutput, error) {
	return &awsiam.TagPolicyOutput{}, a.tag(ctx, r, a.taggedPolicy(in.PolicyArn), in.Tags)
}

func (a *API) tagInstanceProfile(ctx context.Context, r *frontdoor.Request, in *awsiam.TagInstanceProfileInput) (*awsiam.TagInstanceProfileOutput, error) {
	return &awsiam.TagInstanceProfileOutput{}, a.tag(ctx, r, taggedProfile(in.InstanceProfileName), in.Tags)
}

func (a *API) tagOpenIDConnectProvider(
	ctx context.Context, r *frontdoor.Request, in *awsiam.TagOpenIDConnectProviderInput,
) (*awsiam.TagOpenIDConnectProviderOutput, error) {
	return &awsiam.TagOpenIDConnectProviderOutput{}, a.tag(ctx, r, taggedProvider(in.OpenIDConnectProviderArn), in.Tags)
}
