package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// instanceView is a container instance as answers show it, with the numbers that t has of its tasks. Its tags are shown where tags is set.
func instanceView(t *state.Tables, i *ecs.Instance, tags bool) types.ContainerInstance {
	u := t.Tasks.Usage(i.ContainerInstanceArn)
	v := types.ContainerInstance{
		ContainerInstanceArn: new(string(i.ContainerInstanceArn)), Ec2InstanceId: optional(i.Ec2InstanceID), Status: &i.Status,
		StatusReason: optional(i.StatusReason), AgentConnected: i.Connected, Version: i.Version, RegisteredAt: &i.RegisteredAt,
		VersionInfo: &types.VersionInfo{
			AgentVersion: optional(i.AgentVersion), AgentHash: optional(i.AgentHash), DockerVersion: optional(i.DockerVersion),
		},
		RegisteredResources: resourcesView(i.Registered), RemainingResources: resourcesView(i.Registered.Less(u.Reserved)),
		RunningTasksCount: int32(u.Running), PendingTasksCount: int32(u.Pending), Attributes: orEmpty(i.Attributes),
		Attachments: []types.Attachment{}, Tags: []types.Tag{},
	}
	if tags {
		v.Tags = orEmpty(i.Tags)
	}
	return v
}

// healthView is what the agent's own check of its container runtime said last.
func healthView(i *ecs.Instance) *types.ContainerInstanceHealthStatus {
	status := types.InstanceHealthCheckState(i.RuntimeStatus)
	if status == "" {
		status = types.InstanceHealthCheckStateInsufficientData
	}
	return &types.ContainerInstanceHealthStatus{
		OverallStatus: status,
		Details: []types.InstanceHealthCheckResult{{
			Type: types.InstanceHealthCheckTypeContainerRuntime, Status: status, LastUpdated: i.RuntimeStatusAt, LastStatusChange: i.RuntimeStatusAt,
		}},
	}
}
