package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// taskView is a task as DescribeTasks, StopTask and later answers show it. Its tags are shown where tags is set.
func taskView(t *state.Tables, task *ecs.Task, tags bool) types.Task {
	d := t.Definitions.Get(task.TaskDefinitionArn)
	v := types.Task{
		Attachments: attachmentsView(task), ClusterArn: new(string(task.TaskArn.Cluster())), Containers: containersView(task, d),
		Cpu: new(strconv.Itoa(task.Reserved.CPUUnits)), Memory: new(strconv.Itoa(task.Reserved.MemoryMiB)),
		CreatedAt: &task.CreatedAt, DesiredStatus: new(string(task.DesiredStatus)), LastStatus: new(string(task.LastStatus)),
		EnableExecuteCommand: task.EnableExecuteCommand, Group: &task.Group, HealthStatus: task.HealthStatus, LaunchType: task.LaunchType,
		Overrides: overridesView(task, d), Tags: []types.Tag{}, TaskArn: new(string(task.TaskArn)),
		TaskDefinitionArn: new(string(task.TaskDefinitionArn)), Version: task.Version,
		PullStartedAt: task.PullStartedAt, PullStoppedAt: task.PullStoppedAt, StartedAt: task.StartedAt, StoppingAt: task.StoppingAt,
		ExecutionStoppedAt: task.ExecutionStoppedAt, StoppedAt: task.StoppedAt, StopCode: task.StopCode,
	}
	managedAgentsView(t, task, v.Containers)
	if tags {
		v.Tags = orEmpty(task.Tags)
	}
	v.StartedBy, v.StoppedReason = optional(task.StartedBy), optional(task.StoppedReason)
	v.CapacityProviderName = optional(task.CapacityProviderName)
	if task.Fargate() {
		fargateView(&v, task)
		return v
	}
	v.ContainerInstanceArn = optional(string(task.ContainerInstanceArn))
	if task.LaunchType != types.LaunchTypeExternal {
		v.AvailabilityZone = optional(task.AvailabilityZone)
		v.Attributes = architectureView(task)
		if task.ContainerInstanceArn != "" {
			v.Connectivity, v.ConnectivityAt = types.ConnectivityConnected, &task.CreatedAt
		}
	}
	return v
}

// fargateView fills in what only a task on Fargate shows; its container instance is none that anybody sees.
func fargateView(v *types.Task, task *ecs.Task) {
	v.AvailabilityZone = optional(task.AvailabilityZone)
	v.Attributes = architectureView(task)
	v.PlatformVersion, v.PlatformFamily = &task.PlatformVersion, optional(task.PlatformFamily)
	v.EphemeralStorage = &types.EphemeralStorage{SizeInGiB: task.EphemeralStorageGiB}
	v.FargateEphemeralStorage = &types.TaskEphemeralStorage{SizeInGiB: task.EphemeralStorageGiB}
	if i := task.Interface; i != nil && i.AttachedAt != nil {
		v.Connectivity, v.ConnectivityAt = types.ConnectivityConnected, i.AttachedAt
	}
}

// attachmentsView are the task's attachments: its network interface. What it is, is shown once it is on its way to the task.
func attachmentsView(task *ecs.Task) []types.Attachment {
	i := task.Interface
	if i == nil {
		return []types.Attachment{}
	}
	status := task.AttachmentStatus()
	detail := func(name, value string) types.KeyValuePair { return types.KeyValuePair{Name: &name, Value: &value} }
	details := []types.KeyValuePair{detail("subnetId", i.SubnetID)}
	if status != ecs.AttachmentPrecreated && !i.Failed {
		details = append(details, detail("networkInterfaceId", i.NetworkInterfaceID), detail("macAddress", i.MACAddress),
			detail("privateDnsName", i.PrivateDNSName(arn.ScopeOf(task.TaskArn).Region)), detail("privateIPv4Address", i.PrivateIPv4Address))
	}
	return []types.Attachment{{Id: &i.AttachmentID, Type: new("ElasticNetworkInterface"), Status: &status, Details: details}}
}

// architectureView is the one attribute that tasks show, nil where the architecture is not known.
func architectureView(task *ecs.Task) []types.Attribute {
	if task.CPUArchitecture == "" {
		return nil
	}
	return []types.Attribute{{Name: new(ecs.AttributeArchitecture), Value: &task.CPUArchitecture}}
}

// startedTasks are new tasks as RunTask and StartTask show them: without what only the agent's first word brings (connectivity, health,
// network bindings) or the attachment of their interfaces, and with their tags.
func startedTasks(t *state.Tables, tasks []*ecs.Task) []types.Task {
	out := make([]types.Task, 0, len(tasks))
	for _, task := range tasks {
		v := taskView(t, task, true)
		v.Connectivity, v.ConnectivityAt, v.HealthStatus = "", nil, ""
		asPrecreated(v.Attachments)
		for i := range v.Containers {
			v.Containers[i].HealthStatus, v.Containers[i].NetworkBindings = "", nil
		}
		out = append(out, v)
	}
	return out
}

// asPrecreated shows attachments that are on their way as they were when their task was made: of which subnet, and nothing else.
func asPrecreated(attachments []types.Attachment) {
	for i := range attachments {
		if a := &attachments[i]; *a.Status == ecs.AttachmentAttaching {
			a.Status, a.Details = new(ecs.AttachmentPrecreated), a.Details[:1]
		}
	}
}

// overridesView names every container, also where nothing of it is overridden: the caller's in the caller's order, then the others.
func overridesView(task *ecs.Task, d *ecs.TaskDefinition) *types.TaskOverride {
	v := types.TaskOverride{}
	if task.Overrides != nil {
		v = *task.Overrides
	}
	all := make([]types.ContainerOverride, 0, len(v.ContainerOverrides))
	named := map[string]bool{}
	for _, o := range v.ContainerOverrides {
		all = append(all, o)
		named[text(o.Name)] = true
	}
	if d != nil {
		for _, c := range d.Definition.ContainerDefinitions {
			if !named[text(c.Name)] {
				all = append(all, types.ContainerOverride{Name: c.Name})
			}
		}
	}
	v.ContainerOverrides, v.InferenceAcceleratorOverrides = all, []types.InferenceAcceleratorOverride{}
	return &v
}

// optional is a text as an answer has it: left out where it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
