package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/awswire"
	"berth/internal/ecs"
)

// mostOverrides is how many characters a request's overrides may have as JSON.
const mostOverrides = 8192

// validateOverrides checks a task's overrides by themselves. plan is that of their shape, to measure them.
func validateOverrides(o *types.TaskOverride, plan *awswire.Plan) error {
	if o == nil {
		return nil
	}
	if len(plan.EncodeJSON(o)) > mostOverrides {
		return apierr.InvalidParameter("Container Overrides length must be at most %d", mostOverrides)
	}
	if len(o.InferenceAcceleratorOverrides) > 0 {
		return apierr.InvalidParameter("Unsupported field 'inferenceAcceleratorOverrides'")
	}
	if err := validateRole("taskRoleArn", o.TaskRoleArn); err != nil {
		return err
	}
	if err := validateRole("executionRoleArn", o.ExecutionRoleArn); err != nil {
		return err
	}
	if err := sizeOverride("cpu", o.Cpu, ecs.CPUUnits); err != nil {
		return err
	}
	if err := sizeOverride("memory", o.Memory, ecs.MemoryMiB); err != nil {
		return err
	}
	for i := range o.ContainerOverrides {
		if err := validateContainerOverride(&o.ContainerOverrides[i]); err != nil {
			return err
		}
	}
	return nil
}

// sizeOverride checks the task's own cpu or memory, which is a text.
func sizeOverride(what string, v *string, read func(string) int) error {
	if v != nil && read(*v) < 1 {
		return apierr.InvalidParameter("Invalid '%s' setting for task: %s", what, strconv.Quote(*v))
	}
	return nil
}

func validateContainerOverride(c *types.ContainerOverride) error {
	switch {
	case text(c.Name) == "":
		return apierr.InvalidParameter("Container.name should not be null or empty.")
	case c.Cpu != nil && *c.Cpu < 0:
		return apierr.InvalidParameter("Invalid 'cpu' setting for container '%s'.", *c.Name)
	case c.Memory != nil && *c.Memory < 4:
		return apierr.InvalidParameter("Invalid 'memory' setting for container '%s'.", *c.Name)
	case c.MemoryReservation != nil && *c.MemoryReservation < 4:
		return apierr.InvalidParameter("Invalid 'memoryReservation' setting for container '%s'.", *c.Name)
	}
	if fault := requirementsFault(*c.Name, c.ResourceRequirements); fault != "" {
		return apierr.InvalidParameter("%s", fault)
	}
	if fault := environmentFilesFault(*c.Name, c.EnvironmentFiles); fault != "" {
		return apierr.InvalidParameter("%s", fault)
	}
	for _, kv := range c.Environment {
		if text(kv.Name) == "" {
			return apierr.InvalidParameter("The name of an environment variable of container '%s' should not be null or empty.", *c.Name)
		}
	}
	return nil
}

// overridesSuit checks the overrides against the definition's containers.
func overridesSuit(o *types.TaskOverride, d *ecs.TaskDefinition) error {
	if o == nil {
		return nil
	}
	seen := map[string]bool{}
	for i := range o.ContainerOverrides {
		c := &o.ContainerOverrides[i]
		def := d.Container(*c.Name)
		if def == nil {
			return apierr.InvalidParameter("Override for container named %s is not a container in the TaskDefinition.", *c.Name)
		}
		if seen[*c.Name] {
			return apierr.InvalidParameter("There is more than one override for the container named %s.", *c.Name)
		}
		seen[*c.Name] = true
		if s := sharedSecret(c, def); s != "" {
			return apierr.ClientException("%s", sharedName(s))
		}
		hard, soft := def.Memory, def.MemoryReservation
		if c.Memory != nil {
			hard = c.Memory
		}
		if c.MemoryReservation != nil {
			soft = c.MemoryReservation
		}
		if hard != nil && soft != nil && *soft > *hard {
			return apierr.InvalidParameter("Invalid setting for container '%s'. 'memory' must be greater than or equal to 'memoryReservation'.", *c.Name)
		}
	}
	return nil
}
