package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// putAccountSettingDefault chooses a setting for all principals of the account that have not chosen themselves.
func (a *API) putAccountSettingDefault(
	ctx context.Context, r *frontdoor.Request, in *awsecs.PutAccountSettingDefaultInput,
) (*awsecs.PutAccountSettingDefaultOutput, error) {
	if err := validateChoice(in.Name, in.Value); err != nil {
		return nil, err
	}
	s, err := a.choose(ctx, r, ecs.Root(r.Scope), in.Name, *in.Value)
	if err != nil {
		return nil, err
	}
	return &awsecs.PutAccountSettingDefaultOutput{Setting: s}, nil
}
