package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// instanceView is a container instance as answers show it, its tags where tags is set.
func instanceView(t *state.Tables, i *ecs.Instance, tags bool) types.ContainerInstance {
	u := t.Tasks.Usage(i.ContainerInstanceArn)
	v := types.ContainerInstance{
		ContainerInstanceArn: new(string(i.ContainerInstanceArn)), Ec2InstanceId: optional(i.Ec2InstanceID), Status: &i.Status,
		StatusReason: optional(i.StatusReason), AgentConnected: i.Connected, Version: i.Version, RegisteredAt: &i.RegisteredAt,
		VersionInfo:         &types.VersionInfo{AgentVersion: optional(i.AgentVersion), AgentHash: optional(i.AgentHash), DockerVersion: optional(i.DockerVersion)},
		RegisteredResources: resourcesView(i.Registered),
		RemainingResources: resourcesView(ecs.Resources{
			CPUUnits: i.Registered.CPUUnits - u.Reserved.CPUUnits, MemoryMiB: i.Registered.MemoryMiB - u.Reserved.MemoryMiB,
			PortsTCP: i.Registered.Add(u.Reserved).PortsTCP, PortsUDP: i.Registered.Add(u.Reserved).PortsUDP,
		}),
		RunningTasksCount: int32(u.Running), PendingTasksCount: int32(u.Pending), Attributes: orEmpty(i.Attributes),
		Attachments: []types.Attachment{}, Tags: []types.Tag{},
	}
	if tags {
		v.Tags = orEmpty(i.Tags)
	}
	return v
}

// resourcesView lists resources in AWS's order. Ports are those in use.
func resourcesView(r ecs.Resources) []types.Resource {
	number := func(name string, n int) types.Resource {
		return types.Resource{Name: &name, Type: new("INTEGER"), IntegerValue: int32(n)}
	}
	set := func(name string, ports []int32) types.Resource {
		out := make([]string, len(ports))
		for i, p := range ports {
			out[i] = strconv.Itoa(int(p))
		}
		return types.Resource{Name: &name, Type: new("STRINGSET"), StringSetValue: out}
	}
	return []types.Resource{number("CPU", r.CPUUnits), number("MEMORY", r.MemoryMiB), set("PORTS", r.PortsTCP), set("PORTS_UDP", r.PortsUDP)}
}

// healthView is what the agent's own check of its container runtime said last.
func healthView(i *ecs.Instance) *types.ContainerInstanceHealthStatus {
	status := types.InstanceHealthCheckState(i.RuntimeStatus)
	if i.RuntimeStatus == "" {
		status = types.InstanceHealthCheckStateInsufficientData
	}
	return &types.ContainerInstanceHealthStatus{
		OverallStatus: status,
		Details: []types.InstanceHealthCheckResult{{
			Type: types.InstanceHealthCheckTypeContainerRuntime, Status: status, LastUpdated: i.RuntimeStatusAt, LastStatusChange: i.RuntimeStatusAt,
		}},
	}
}
