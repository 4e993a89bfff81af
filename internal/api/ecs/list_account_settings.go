package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// listAccountSettings answers with what a principal has chosen, or with what holds for it whoever chose it, in the order of the names and a
// page of at most ten at a time.
func (a *API) listAccountSettings(
	_ context.Context, r *frontdoor.Request, in *awsecs.ListAccountSettingsInput,
) (*awsecs.ListAccountSettingsOutput, error) {
	if in.Name != "" {
		if err := validateSettingName(in.Name); err != nil {
			return nil, err
		}
	} else if !blank(in.Value) {
		return nil, apierr.InvalidParameter("You must specify an account setting name to filter by value.")
	}
	principal, err := settingPrincipal(r, in.PrincipalArn)
	if err != nil {
		return nil, err
	}
	var most *int32
	if r.Sent["maxResults"] {
		most = &in.MaxResults
	}
	effective := "chosen"
	if in.EffectiveSettings {
		effective = "effective"
	}
	l, err := newListing("ListAccountSettings", pageSize{10, 10}, most, in.NextToken, r.Scope.Region, principal, string(in.Name), text(in.Value), effective)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(settings(a.store.View().Tables, r, principal, in.EffectiveSettings), func(s ecs.AccountSetting) bool {
		return in.Name != "" && s.Name != in.Name || !blank(in.Value) && s.Value != *in.Value || string(s.Name) < l.after
	})
	rows, next := page(l, slices.Values(all), func(s ecs.AccountSetting) string { return string(s.Name) })
	out := &awsecs.ListAccountSettingsOutput{Settings: make([]types.Setting, 0, len(rows)), NextToken: next}
	for _, s := range rows {
		out.Settings = append(out.Settings, settingView(s))
	}
	return out, nil
}

// settings are the principal's own, or the ones that hold for it, in the order of their names. What it has not chosen is the root user's, which
// is the account.
func settings(t *state.Tables, r *frontdoor.Request, principal string, effective bool) (out []ecs.AccountSetting) {
	for _, name := range slices.Sorted(slices.Values(ecs.SettingNames())) {
		own := t.AccountSettings.Get(ecs.AccountSettingKey(r.Scope.Region, principal, name))
		switch {
		case own != nil:
			out = append(out, *own)
		case effective:
			s := t.Chosen(r.Scope, principal, name)
			s.PrincipalArn = ecs.Root(r.Scope)
			out = append(out, s)
		}
	}
	return out
}
