package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// compatibilities are the launch types that a definition can be used with, as AWS derives them from it.
func compatibilities(in *awsecs.RegisterTaskDefinitionInput) []types.Compatibility {
	switch {
	case in.NetworkMode == types.NetworkModeAwsvpc && fargateFault(in) == nil:
		return []types.Compatibility{types.CompatibilityEc2, types.CompatibilityFargate, types.CompatibilityManagedInstances}
	case in.NetworkMode == types.NetworkModeAwsvpc, in.NetworkMode == types.NetworkModeHost, in.RuntimePlatform != nil:
		return []types.Compatibility{types.CompatibilityEc2}
	}
	return []types.Compatibility{types.CompatibilityExternal, types.CompatibilityEc2}
}
