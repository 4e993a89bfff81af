package ecs

import (
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// GPUs is how many GPUs a task of d has to itself.
func GPUs(d *TaskDefinition, o *types.TaskOverride) (n int) {
	for i := range d.Definition.ContainerDefinitions {
		n += containerGPUs(&d.Definition.ContainerDefinitions[i], o)
	}
	return n
}

// containerGPUs is how many of them a container has. An override's requirements take the place of the definition's.
func containerGPUs(c *types.ContainerDefinition, o *types.TaskOverride) int {
	required := c.ResourceRequirements
	if over := ContainerOverride(o, c.Name); over != nil && over.ResourceRequirements != nil {
		required = over.ResourceRequirements
	}
	for _, r := range required {
		if r.Type == types.ResourceTypeGpu && r.Value != nil {
			if n, err := strconv.Atoi(*r.Value); err == nil {
				return max(n, 0)
			}
		}
	}
	return 0
}

// ContainerGPUs are the ids of the GPUs that one of the task's containers has: the task's own, dealt out in the definition's order.
func (t *Task) ContainerGPUs(d *TaskDefinition, container string) []string {
	if len(t.Reserved.GPUs) == 0 || d == nil {
		return nil
	}
	from := 0
	for i := range d.Definition.ContainerDefinitions {
		c := &d.Definition.ContainerDefinitions[i]
		to := min(from+containerGPUs(c, t.Overrides), len(t.Reserved.GPUs))
		if c.Name != nil && *c.Name == container {
			return t.Reserved.GPUs[from:to:to]
		}
		from = to
	}
	return nil
}

// wantedGPUs stand for n GPUs that are still to be chosen.
func wantedGPUs(n int) []string {
	if n == 0 {
		return nil
	}
	return make([]string, n)
}

// freeGPUs are the first n of the registered ids that are not held, nil where there are not so many.
func freeGPUs(registered, held []string, n int) []string {
	free := minus(registered, held)
	if n == 0 || n > len(free) {
		return nil
	}
	return slices.Clone(free[:n])
}
