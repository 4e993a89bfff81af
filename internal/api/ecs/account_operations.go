package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// accountOperations are the operations on account settings. As on AWS, they are about no one resource.
func (a *API) accountOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("PutAccountSetting", a.putAccountSetting),
		frontdoor.Op("PutAccountSettingDefault", a.putAccountSettingDefault),
		frontdoor.Op("DeleteAccountSetting", a.deleteAccountSetting),
		frontdoor.Op("ListAccountSettings", a.listAccountSettings),
	}
}

// validateSettingName checks the name of an account setting. An error is an InvalidParameterException.
func validateSettingName(name types.SettingName) error {
	if name == "" {
		return apierr.InvalidParameter("name should not be null or empty.")
	}
	if ecs.Choices(name) == nil {
		names := texts(ecs.SettingNames(), func(n types.SettingName) string { return string(n) })
		return apierr.InvalidParameter("%s should be one of [%s]", name, strings.Join(names, ","))
	}
	return nil
}

// validateChoice checks what a request wants to set.
func validateChoice(name types.SettingName, value *string) error {
	if err := validateSettingName(name); err != nil {
		return err
	}
	switch {
	case blank(value):
		return apierr.InvalidParameter("value should not be null or empty.")
	case name == types.SettingNameGuardDutyActivate:
		return apierr.InvalidParameter("The account setting guardDutyActivate is read-only.")
	case !slices.Contains(ecs.Choices(name), *value):
		return apierr.InvalidParameter("Invalid setting 'value'")
	case ecs.LongFormat(name) && *value == "disabled":
		return apierr.InvalidParameter("You can no longer disable Long Arn settings")
	}
	return nil
}

// settingPrincipal is whose settings a request is about: the caller's, unless it names a user, a role or the root user of the account.
func settingPrincipal(r *frontdoor.Request, name *string) (string, error) {
	if blank(name) {
		return creator(r.Caller.ARN), nil
	}
	p, err := arn.Parse(*name)
	known := p.Resource == "root" || strings.HasPrefix(p.Resource, "user/") || strings.HasPrefix(p.Resource, "role/")
	switch {
	case err != nil || p.Service != "iam" || !known:
		return "", apierr.InvalidParameter("Invalid principalArn: %s is not the ARN of a user, a role or the root user.", *name)
	case p.Account != r.Scope.Account:
		return "", apierr.InvalidParameter("Invalid identifier: Identifier is for %s. Your accountId is %s", p.Account, r.Scope.Account)
	}
	return *name, nil
}

// settingView is a setting as answers show it. What AWS manages nobody else sets.
func settingView(s ecs.AccountSetting) types.Setting {
	v := types.Setting{Name: s.Name, Value: &s.Value, PrincipalArn: &s.PrincipalArn, Type: types.SettingTypeUser}
	if s.Name == types.SettingNameGuardDutyActivate {
		v.Type = types.SettingTypeAwsManaged
	}
	return v
}
