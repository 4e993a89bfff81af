package ecs

import (
	"math"
	"regexp"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// AWS's limits on a task definition.
const (
	mostContainerDefinitions = 10
	leastTaskCPU             = 128
	mostTaskCPU              = 196608
	leastMemory              = 6 // MiB, Docker's own
)

// definitionCheck is one rule, or some that belong together. Its errors are ClientExceptions.
type definitionCheck func(in *awsecs.RegisterTaskDefinitionInput) error

// validateDefinition checks a task definition as AWS does, and then refuses by name what would have to be acted on and is not yet.
func validateDefinition(r *frontdoor.Request, in *awsecs.RegisterTaskDefinitionInput) error {
	if r.Sent["tags"] && len(in.Tags) == 0 {
		return apierr.ClientException("Tags can not be empty.")
	}
	return firstFault(in,
		definitionHead, definitionEnums, definitionSize, definitionRoles,
		definitionContainers, definitionVolumes, definitionOrder, definitionProxy, definitionConstraints,
		definitionLaunchTypes,
		definitionUnserved,
	)
}

func firstFault(in *awsecs.RegisterTaskDefinitionInput, checks ...definitionCheck) error {
	for _, check := range checks {
		if err := check(in); err != nil {
			return err
		}
	}
	return nil
}

func definitionHead(in *awsecs.RegisterTaskDefinitionInput) error {
	switch {
	case blank(in.Family):
		return apierr.ClientException("Family should not be null or empty.")
	case len(*in.Family) > mostName || !nameText(*in.Family):
		return apierr.ClientException("Family should be 1 to 255 letters, digits, hyphens and underscores, but was '%s'.", *in.Family)
	case len(in.ContainerDefinitions) == 0:
		return apierr.ClientException("Container list cannot be empty.")
	case len(in.ContainerDefinitions) > mostContainerDefinitions:
		return apierr.ClientException("A task definition can have at most %d containers, but has %d.", mostContainerDefinitions, len(in.ContainerDefinitions))
	case len(in.InferenceAccelerators) > 0:
		return apierr.ClientException("Unsupported field 'inferenceAccelerators'")
	}
	return clientException(validateTags(in.Tags))
}

func definitionEnums(in *awsecs.RegisterTaskDefinitionInput) error {
	platform := types.RuntimePlatform{}
	if in.RuntimePlatform != nil {
		platform = *in.RuntimePlatform
	}
	for _, err := range []error{
		validateEnum("networkMode", in.NetworkMode), validateEnum("pidMode", in.PidMode), validateEnum("ipcMode", in.IpcMode),
		validateEnums("requiresCompatibilities", in.RequiresCompatibilities),
		validateEnum("runtimePlatform.cpuArchitecture", platform.CpuArchitecture),
		validateEnum("runtimePlatform.operatingSystemFamily", platform.OperatingSystemFamily),
	} {
		if err != nil {
			return clientException(err)
		}
	}
	return nil
}

// definitionSize checks the task's own cpu and memory. Fargate's pairs are checked with Fargate.
func definitionSize(in *awsecs.RegisterTaskDefinitionInput) error {
	const see = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	if in.Cpu != nil {
		if n := ecs.CPUUnits(*in.Cpu); n < leastTaskCPU || n > mostTaskCPU {
			return apierr.ClientException("Invalid 'cpu' setting for task." + see)
		}
	}
	if in.Memory == nil {
		return nil
	}
	if n := ecs.MemoryMiB(*in.Memory); n < leastMemory || n > math.MaxInt32 {
		return apierr.ClientException("Invalid 'memory' setting for task." + see)
	}
	return nil
}

// definitionRoles checks that the roles are names or ARNs of IAM roles.
func definitionRoles(in *awsecs.RegisterTaskDefinitionInput) error {
	if err := validateRole("taskRoleArn", in.TaskRoleArn); err != nil {
		return err
	}
	return validateRole("executionRoleArn", in.ExecutionRoleArn)
}

// roleName is what IAM lets a role be called.
var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// validateRole checks that a member is the name or ARN of an IAM role, or not there. An error is a ClientException.
func validateRole(member string, role *string) error {
	if blank(role) || roleName.MatchString(*role) {
		return nil
	}
	if p, err := arn.Parse(*role); err != nil || p.Service != "iam" || !strings.HasPrefix(p.Resource, "role/") {
		return apierr.ClientException("Role is not valid: %s should be the name or ARN of an IAM role, but was '%s'.", member, shortened(*role))
	}
	return nil
}

func definitionProxy(in *awsecs.RegisterTaskDefinitionInput) error {
	p := in.ProxyConfiguration
	switch {
	case p == nil:
		return nil
	case in.NetworkMode != types.NetworkModeAwsvpc:
		return apierr.ClientException("APPMESH proxy configuration is only supported in networkMode=awsvpc")
	case findContainer(in, text(p.ContainerName)) == nil:
		return apierr.ClientException("Invalid 'proxyConfiguration' setting. Unknown container: '%s'", text(p.ContainerName))
	}
	return clientException(validateEnum("proxyConfiguration.type", p.Type))
}

func definitionConstraints(in *awsecs.RegisterTaskDefinitionInput) error {
	if len(in.PlacementConstraints) > mostConstraints {
		return apierr.ClientException("Maximum number of constraints is %d", mostConstraints)
	}
	for _, c := range in.PlacementConstraints {
		if c.Type != types.TaskDefinitionPlacementConstraintTypeMemberOf {
			return apierr.ClientException("constraint.type '%s' is not supported.", c.Type)
		}
		if err := validateExpression("memberOf expression", c.Expression); err != nil {
			return clientException(err)
		}
	}
	return nil
}

// definitionLaunchTypes checks what the launch types that the definition says it is for ask of it.
func definitionLaunchTypes(in *awsecs.RegisterTaskDefinitionInput) error {
	if slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		if err := fargateFault(in); err != nil {
			return err
		}
	} else if in.EphemeralStorage != nil {
		return apierr.ClientException("Tasks using the EC2 launch type do not support EphemeralStorage")
	}
	if slices.Contains(in.RequiresCompatibilities, types.CompatibilityExternal) && in.NetworkMode == types.NetworkModeAwsvpc {
		return apierr.ClientException("The EXTERNAL launch type does not support networkMode=awsvpc.")
	}
	return nil
}

// findContainer finds a container by name, nil if there is none.
func findContainer(in *awsecs.RegisterTaskDefinitionInput, name string) *types.ContainerDefinition {
	for i := range in.ContainerDefinitions {
		if text(in.ContainerDefinitions[i].Name) == name {
			return &in.ContainerDefinitions[i]
		}
	}
	return nil
}
