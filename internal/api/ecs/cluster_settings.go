package ecs

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// noInsights is what a cluster has that was made without settings.
const noInsights = "disabled"

// validateClusterSettings checks settings that a request gives. An error is an InvalidParameterException.
func validateClusterSettings(settings []types.ClusterSetting) error {
	seen := map[types.ClusterSettingName]bool{}
	for _, s := range settings {
		if s.Name == "" {
			return apierr.InvalidParameter("settings.name should not be null or empty.")
		}
		if err := validateEnum("settings.name", s.Name); err != nil {
			return err
		}
		if seen[s.Name] {
			return apierr.InvalidParameter("The cluster setting '%s' is given more than once.", s.Name)
		}
		seen[s.Name] = true
		if s.Value == nil || !slices.Contains(ecs.Choices(types.SettingNameContainerInsights), *s.Value) {
			return apierr.InvalidParameter("Invalid setting 'value'")
		}
	}
	return nil
}

// mergeClusterSettings returns the settings old with those of new in their place.
func mergeClusterSettings(old, new []types.ClusterSetting) []types.ClusterSetting {
	out := slices.Clone(old)
	for _, s := range new {
		i := slices.IndexFunc(out, func(o types.ClusterSetting) bool { return o.Name == s.Name })
		if i < 0 {
			out = append(out, s)
		} else {
			out[i] = s
		}
	}
	return out
}

// filledClusterSettings are a cluster's settings: the given ones, and insights where they do not say how containers are looked into.
func filledClusterSettings(given []types.ClusterSetting, insights string) []types.ClusterSetting {
	value := insights
	return mergeClusterSettings([]types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: &value}}, given)
}
