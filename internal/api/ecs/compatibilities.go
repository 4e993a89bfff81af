package ecs

import (
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// compatibilities are the launch types that a definition can be used with, as AWS derives them from it.
func compatibilities(in *awsecs.RegisterTaskDefinitionInput) []types.Compatibility {
	outside := slices.Contains(in.RequiresCompatibilities, types.CompatibilityExternal) // asked for by name
	switch {
	case in.NetworkMode == types.NetworkModeAwsvpc && fargateFault(in) == nil:
		return []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate, types.CompatibilityManagedInstances}
	case in.NetworkMode == types.NetworkModeAwsvpc, !outside && in.RuntimePlatform != nil:
		return []types.Compatibility{types.CompatibilityEc2}
	}
	return []types.Compatibility{types.CompatibilityExternal, types.CompatibilityEc2}
}
