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

// deleteAccountSetting takes back what a principal has chosen. It answers with that, or with what holds where nothing was chosen.
func (a *API) deleteAccountSetting(
	ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteAccountSettingInput,
) (*awsecs.DeleteAccountSettingOutput, error) {
	if err := validateSettingName(in.Name); err != nil {
		return nil, err
	}
	if in.Name == types.SettingNameGuardDutyActivate {
		return nil, apierr.InvalidParameter("The account setting guardDutyActivate is read-only.")
	}
	principal, err := settingPrincipal(r, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	var out types.Setting
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		s := tx.Chosen(r.Scope, principal, in.Name)
		s.PrincipalArn = principal
		out = settingView(s)
		tx.Delete(&ecs.AccountSetting{Region: r.Scope.Region, PrincipalArn: principal, Name: in.Name})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeleteAccountSettingOutput{Setting: &out}, nil
}
