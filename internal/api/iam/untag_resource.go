package iam

import (
	"context"

	"berth/internal/frontdoor"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) untagUser(ctx context.Context, r *frontdoor.Request, in *awsiam.UntagUserInput) (*awsiam.UntagUserOutput, error) {
	return &awsiam.UntagUserOutput{}, a.untag(ctx, r, taggedUser(in.UserName), in.TagKeys)
}

func (a *API) untagRole(ctx context.Context, r *frontdoor.Request, in *awsiam.UntagRoleInput) (*awsiam.UntagRoleOutput, error) {
	return &awsiam.UntagRoleOutput{}, a.untag(ctx, r, taggedRole(in.RoleName), in.TagKeys)
}

func (a *API) untagPolicy(ctx context.Context, r *frontdoor.Request, in *awsiam.UntagPolicyInput) (*awsiam.UntagPolicyOutput, error) {
	return &awsiam.UntagPolicyOutput{}, a.untag(ctx, r, a.taggedPolicy(in.PolicyArn), in.TagKeys)
}

func (a *API) untagInstanceProfile(ctx context.Context, r *frontdoor.Request, in *awsiam.UntagInstanceProfileInput) (*awsiam.UntagInstanceProfileOutput, error) {
	return &awsiam.UntagInstanceProfileOutput{}, a.untag(ctx, r, taggedProfile(in.InstanceProfileName), in.TagKeys)
}

func (a *API) untagOpenIDConnectProvider(
	ctx context.Context, r *frontdoor.Request, in *awsiam.UntagOpenIDConnectProviderInput,
) (*awsiam.UntagOpenIDConnectProviderOutput, error) {
	return &awsiam.UntagOpenIDConnectProviderOutput{}, a.untag(ctx, r, taggedProvider(in.OpenIDConnectProviderArn), in.TagKeys)
}
