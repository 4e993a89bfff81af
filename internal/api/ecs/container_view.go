package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// containersView are a task's containers in the definition's order, also those of which the agent has not spoken yet. Without the definition
// (it was deleted) they are those that the agent spoke of.
func containersView(task *ecs.Task, d *ecs.TaskDefinition) []types.Container {
	known := map[string]*ecs.Container{}
	for i := range task.Containers {
		known[task.Containers[i].Name] = &task.Containers[i]
	}
	out := []types.Container{}
	if d == nil {
		for i := range task.Containers {
			out = append(out, containerView(task, task.Containers[i].Name, &task.Containers[i]))
		}
		return out
	}
	for i := range d.Definition.ContainerDefinitions {
		c := &d.Definition.ContainerDefinitions[i]
		v := containerView(task, text(c.Name), known[text(c.Name)])
		v.Image = c.Image
		v.GpuIds = gpusView(task, d, text(c.Name))
		sizeView(&v, c, task.Overrides)
		out = append(out, v)
	}
	return out
}

// gpusView are the ids of a container's GPUs, nil where it has none.
func gpusView(task *ecs.Task, d *ecs.TaskDefinition, name string) []string {
	if ids := task.ContainerGPUs(d, name); len(ids) > 0 {
		return ids
	}
	return nil
}

// containerView is a container as far as the agent spoke of it; c is nil where it has not.
func containerView(task *ecs.Task, name string, c *ecs.Container) types.Container {
	v := types.Container{
		ContainerArn: new(task.TaskArn.Container(ecs.ContainerID(task.TaskArn, name))), TaskArn: new(string(task.TaskArn)),
		Name: &name, LastStatus: new(string(ecs.Pending)), NetworkInterfaces: []types.NetworkInterface{}, Cpu: new("0"),
		HealthStatus: ecs.HealthUnknown,
	}
	if i := task.Interface; i != nil && i.AttachedAt != nil {
		v.NetworkInterfaces = append(v.NetworkInterfaces, types.NetworkInterface{AttachmentId: &i.AttachmentID, PrivateIpv4Address: &i.PrivateIPv4Address})
	}
	if c == nil {
		return v
	}
	v.LastStatus, v.ExitCode = new(string(c.LastStatus)), c.ExitCode
	v.Reason, v.RuntimeId, v.ImageDigest = optional(c.Reason), optional(c.RuntimeID), optional(c.ImageDigest)
	if c.HealthStatus != "" {
		v.HealthStatus = c.HealthStatus
	}
	if c.LastStatus.After(ecs.Pending) && c.RuntimeID != "" {
		v.NetworkBindings = append([]types.NetworkBinding{}, c.NetworkBindings...)
	}
	return v
}

// sizeView fills in the container's cpu and memory, from the definition and the task's overrides.
func sizeView(v *types.Container, c *types.ContainerDefinition, o *types.TaskOverride) {
	cpu, hard, soft := c.Cpu, c.Memory, c.MemoryReservation
	if over := ecs.ContainerOverride(o, c.Name); over != nil {
		cpu, hard, soft = valueOr(over.Cpu, cpu), override(over.Memory, hard), override(over.MemoryReservation, soft)
	}
	v.Cpu = new(strconv.Itoa(int(cpu)))
	v.Memory, v.MemoryReservation = numberView(hard), numberView(soft)
}

func valueOr(p *int32, otherwise int32) int32 {
	if p != nil {
		return *p
	}
	return otherwise
}

func override(p, otherwise *int32) *int32 {
	if p != nil {
		return p
	}
	return otherwise
}

func numberView(p *int32) *string {
	if p == nil {
		return nil
	}
	return new(strconv.Itoa(int(*p)))
}
