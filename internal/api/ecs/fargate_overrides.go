package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
)

// sizesSuit checks the size that overrides give a task: on Fargate there are certain sizes only, which bound the containers, and elsewhere there
// is no ephemeral storage. An error is an InvalidParameterException.
func sizesSuit(o *types.TaskOverride, d *ecs.TaskDefinition, fargate bool) error {
	switch {
	case o == nil:
		return nil
	case !fargate && o.EphemeralStorage != nil:
		return apierr.InvalidParameter("Tasks using the EC2 launch type do not support EphemeralStorage")
	case !fargate:
		return nil
	}
	if fault := storageFault(o.EphemeralStorage); fault != "" {
		return apierr.InvalidParameter("%s", fault)
	}
	size := ecs.Reservation(d, o)
	if !fargateSize(size.CPUUnits, size.MemoryMiB) {
		return apierr.InvalidParameter("%s", noFargateSize(size.CPUUnits, size.MemoryMiB))
	}
	return containersWithin(size, o, d)
}

// containersWithin checks that the containers have no more than their task.
func containersWithin(size ecs.Resources, o *types.TaskOverride, d *ecs.TaskDefinition) error {
	cpu := 0
	for i := range d.Definition.ContainerDefinitions {
		c := &d.Definition.ContainerDefinitions[i]
		over := ecs.ContainerOverride(o, c.Name)
		if over == nil {
			over = &types.ContainerOverride{}
		}
		cpu += int(valueOr(over.Cpu, c.Cpu))
		switch memory := override(over.Memory, c.Memory); {
		case len(over.ResourceRequirements) > 0:
			return apierr.InvalidParameter("Fargate compatible task definitions do not support resourceRequirements")
		case memory != nil && int(*memory) > size.MemoryMiB:
			return apierr.InvalidParameter("The 'memory' setting for container '%s' is greater than for the task.", *c.Name)
		}
	}
	if cpu > size.CPUUnits {
		return apierr.InvalidParameter("%s", tooMuchCPU(cpu, size.CPUUnits))
	}
	return nil
}
