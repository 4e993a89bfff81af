package ecs

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// AccountSetting is what one principal chose for itself in a region; the root user's choice is the account's default. Written by: the
// operations on account settings.
type AccountSetting struct {
	Region       string
	PrincipalArn string
	Name         types.SettingName
	Value        string
	Unknown      Unknown
}

func (*AccountSetting) Kind() Kind    { return KindAccountSetting }
func (s *AccountSetting) Key() string { return AccountSettingKey(s.Region, s.PrincipalArn, s.Name) }

// AccountSettingKey is the key of a principal's setting: those of a principal are together, in the order of their names.
func AccountSettingKey(region, principal string, name types.SettingName) string {
	return region + " " + principal + " " + string(name)
}

// Root is the principal whose settings are an account's defaults.
func Root(s arn.Scope) string {
	return "arn:" + cmp.Or(s.Partition, "aws") + ":iam::" + s.Account + ":root"
}

// Names that the SDK does not list, and that ECS knows all the same.
const (
	SettingContainerLongArnFormat types.SettingName = "containerLongArnFormat"
	SettingDualStackIPv6          types.SettingName = "dualStackIPv6"
)

// Choices are the values that a setting can have, the one first that it has where nobody chose. There are none of a name that ECS does not know.
func Choices(name types.SettingName) []string {
	switch name {
	case types.SettingNameServiceLongArnFormat, types.SettingNameTaskLongArnFormat, types.SettingNameContainerInstanceLongArnFormat,
		SettingContainerLongArnFormat, SettingDualStackIPv6:
		return []string{"enabled", "disabled"}
	case types.SettingNameAwsvpcTrunking, types.SettingNameFargateFipsMode, types.SettingNameFargateEventWindows:
		return []string{"disabled", "enabled"}
	case types.SettingNameContainerInsights:
		return []string{"disabled", "enabled", "enhanced"}
	case types.SettingNameTagResourceAuthorization:
		return []string{"on", "off"}
	case types.SettingNameFargateTaskRetirementWaitPeriod:
		return []string{"7", "0", "14"}
	case types.SettingNameGuardDutyActivate:
		return []string{"off", "on"}
	case types.SettingNameDefaultLogDriverMode:
		return []string{"non-blocking", "blocking"}
	}
	return nil
}

// SettingNames are the settings in the order in which ECS names them.
func SettingNames() []types.SettingName {
	return []types.SettingName{
		types.SettingNameServiceLongArnFormat, types.SettingNameTaskLongArnFormat, types.SettingNameContainerInstanceLongArnFormat,
		SettingContainerLongArnFormat, types.SettingNameAwsvpcTrunking, types.SettingNameContainerInsights, SettingDualStackIPv6,
		types.SettingNameFargateFipsMode, types.SettingNameTagResourceAuthorization, types.SettingNameFargateTaskRetirementWaitPeriod,
		types.SettingNameGuardDutyActivate, types.SettingNameDefaultLogDriverMode, types.SettingNameFargateEventWindows,
	}
}

// LongFormat reports whether a setting is one of those that once chose short ARNs. They cannot be disabled any more.
func LongFormat(name types.SettingName) bool {
	return slices.Contains([]types.SettingName{
		types.SettingNameServiceLongArnFormat, types.SettingNameTaskLongArnFormat, types.SettingNameContainerInstanceLongArnFormat,
		SettingContainerLongArnFormat,
	}, name)
}
