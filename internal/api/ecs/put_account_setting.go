package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// putAccountSetting chooses a setting for the caller or for the principal that it names.
func (a *API) putAccountSetting(
	ctx context.Context, r *frontdoor.Request, in *awsecs.PutAccountSettingInput,
) (*awsecs.PutAccountSettingOutput, error) {
	if err := validateChoice(in.Name, in.Value); err != nil {
		return nil, err
	}
	principal, err := settingPrincipal(r, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	if in.Name == types.SettingNameFargateTaskRetirementWaitPeriod && principal != ecs.Root(r.Scope) {
		return nil, apierr.InvalidParameter("You must use the root user to set fargateTaskRetirementWaitPeriod.")
	}
	s, err := a.choose(ctx, r, principal, in.Name, *in.Value)
	if err != nil {
		return nil, err
	}
	return &awsecs.PutAccountSettingOutput{Setting: s}, nil
}

// choose stores a setting and returns it as an answer shows it.
func (a *API) choose(ctx context.Context, r *frontdoor.Request, principal string, name types.SettingName, value string) (*types.Setting, error) {
	s := ecs.AccountSetting{Region: r.Scope.Region, PrincipalArn: principal, Name: name, Value: value}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		n := s
		if old := tx.AccountSettings.Get(s.Key()); old != nil {
			n.Unknown = old.Unknown
		}
		tx.Put(&n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return new(settingView(s)), nil
}
