package ecs

import (
	"regexp"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// imageReference are the characters of an image's name, tag and digest.
var imageReference = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._/:@+#-]*$`)

// containerCheck is one rule about a single container.
type containerCheck func(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error

func definitionContainers(in *awsecs.RegisterTaskDefinitionInput) error {
	names, essential := map[string]bool{}, false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		for _, check := range []containerCheck{
			containerIdentity, containerMemory, containerTimes, containerHealth, containerRestart, containerNetwork,
			containerEnvironment, containerSecrets, containerLimits, containerLinux, containerLogs, logSecrets,
		} {
			if err := check(in, c); err != nil {
				return err
			}
		}
		if names[*c.Name] {
			return apierr.ClientException("Container names must be unique within a task definition: '%s' is used more than once.", *c.Name)
		}
		names[*c.Name] = true
		essential = essential || isEssential(c)
	}
	if !essential {
		return apierr.ClientException("Task definition doesn't have any essential container")
	}
	return firstFault(in, oneFirelens, definitionPorts, definitionLinks)
}

func isEssential(c *types.ContainerDefinition) bool { return c.Essential == nil || *c.Essential }

func containerIdentity(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	switch name := text(c.Name); {
	case name == "":
		return apierr.ClientException("Container.name should not be null or empty.")
	case len(name) > mostName || !nameText(name):
		return apierr.ClientException("Container.name should be 1 to 255 letters, digits, hyphens and underscores, but was '%s'.", name)
	case blank(c.Image):
		return apierr.ClientException("Container.image should not be null or empty.")
	case len(*c.Image) > mostName || !imageReference.MatchString(*c.Image):
		return apierr.ClientException("Container.image contains invalid characters.")
	case c.Cpu < 0:
		return apierr.ClientException("Invalid 'cpu' setting for container '%s': it must not be negative.", name)
	}
	return clientException(validateEnum("Container.versionConsistency", c.VersionConsistency))
}

func containerMemory(in *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	name, hard, soft := *c.Name, c.Memory, c.MemoryReservation
	switch {
	case hard == nil && soft == nil && in.Memory == nil:
		return apierr.ClientException("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case hard != nil && *hard < leastMemory:
		return apierr.ClientException("Invalid 'memory' setting for container '%s': it must be at least %d MiB.", name, leastMemory)
	case soft != nil && *soft < leastMemory:
		return apierr.ClientException("Invalid 'memoryReservation' setting for container '%s': it must be at least %d MiB.", name, leastMemory)
	case hard != nil && soft != nil && *soft > *hard:
		return apierr.ClientException("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", name)
	case in.Memory == nil:
		return nil
	}
	task := ecs.MemoryMiB(*in.Memory)
	switch {
	case hard != nil && int(*hard) > task:
		return apierr.ClientException("The 'memory' setting for container '%s' is greater than for the task.", name)
	case soft != nil && int(*soft) > task:
		return apierr.ClientException("The 'memoryReservation' setting for container '%s' is greater than the 'memory' setting for the task.", name)
	}
	return nil
}

func containerTimes(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	for _, t := range []struct {
		member string
		given  *int32
	}{{"startTimeout", c.StartTimeout}, {"stopTimeout", c.StopTimeout}} {
		if outside(t.given, 0, 86400) {
			return apierr.ClientException("Invalid '%s' setting for container '%s': it must be between 0 and 86400 seconds.", t.member, *c.Name)
		}
	}
	return nil
}

// outside reports whether a number is given and not between the bounds.
func outside(n *int32, low, high int32) bool { return n != nil && (*n < low || *n > high) }

func containerHealth(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	if len(h.Command) == 0 || !strings.HasPrefix(h.Command[0], "CMD") && h.Command[0] != "NONE" {
		return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': command must begin with CMD, CMD-SHELL or NONE.", *c.Name)
	}
	for _, n := range []struct {
		member    string
		given     *int32
		low, high int32
	}{{"interval", h.Interval, 5, 300}, {"timeout", h.Timeout, 2, 60}, {"retries", h.Retries, 1, 10}, {"startPeriod", h.StartPeriod, 0, 300}} {
		if outside(n.given, n.low, n.high) {
			return apierr.ClientException("Invalid 'healthCheck' setting for container '%s': %s must be between %d and %d.", *c.Name, n.member, n.low, n.high)
		}
	}
	return nil
}

func containerRestart(_ *awsecs.RegisterTaskDefinitionInput, c *types.ContainerDefinition) error {
	p := c.RestartPolicy
	switch {
	case p == nil:
		return nil
	case p.Enabled == nil:
		return apierr.ClientException("Invalid 'restartPolicy' setting for container '%s': enabled should not be null.", *c.Name)
	case outside(p.RestartAttemptPeriod, 60, 1800):
		return apierr.ClientException("The 'restartAttemptPeriod' setting for container '%s' must be between 60 and 1800 seconds.", *c.Name)
	case len(p.IgnoredExitCodes) > 50:
		return apierr.ClientException("Invalid 'restartPolicy' setting for container '%s': ignoredExitCodes can have at most 50 items.", *c.Name)
	}
	return nil
}
