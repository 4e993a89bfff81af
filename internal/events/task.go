package events

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Task is the detail of a task's event: DescribeTasks' members with times as text, in AWS's order.
type Task struct {
	Attachments          []attachment       `json:"attachments"`
	Attributes           []attribute        `json:"attributes,omitempty"`
	AvailabilityZone     string             `json:"availabilityZone,omitempty"`
	CapacityProviderName string             `json:"capacityProviderName,omitempty"`
	ClusterArn           arn.Cluster        `json:"clusterArn"`
	Connectivity         types.Connectivity `json:"connectivity,omitempty"`
	ConnectivityAt       string             `json:"connectivityAt,omitempty"`
	ContainerInstanceArn arn.Instance       `json:"containerInstanceArn,omitempty"`
	Containers           []Container        `json:"containers"`
	CPU                  string             `json:"cpu"`
	CreatedAt            string             `json:"createdAt"`
	DesiredStatus        ecs.TaskStatus     `json:"desiredStatus"`
	EnableExecuteCommand bool               `json:"enableExecuteCommand"`
	EphemeralStorage     *ephemeralStorage  `json:"ephemeralStorage,omitempty"`
	ExecutionStoppedAt   string             `json:"executionStoppedAt,omitempty"`
	Group                string             `json:"group,omitempty"`
	LaunchType           types.LaunchType   `json:"launchType"`
	LastStatus           ecs.TaskStatus     `json:"lastStatus"`
	Memory               string             `json:"memory"`
	Overrides            json.RawMessage    `json:"overrides"`
	PlatformVersion      string             `json:"platformVersion,omitempty"`
	PullStartedAt        string             `json:"pullStartedAt,omitempty"`
	PullStoppedAt        string             `json:"pullStoppedAt,omitempty"`
	StartedAt            string             `json:"startedAt,omitempty"`
	StartedBy            string             `json:"startedBy,omitempty"`
	StoppingAt           string             `json:"stoppingAt,omitempty"`
	StoppedAt            string             `json:"stoppedAt,omitempty"`
	StoppedReason        string             `json:"stoppedReason,omitempty"`
	StopCode             types.TaskStopCode `json:"stopCode,omitempty"`
	TaskArn              arn.Task           `json:"taskArn"`
	TaskDefinitionArn    arn.TaskDefinition `json:"taskDefinitionArn"`
	UpdatedAt            string             `json:"updatedAt"`
	Version              int64              `json:"version"`
}

// Container is a container in a task's event.
type Container struct {
	ContainerArn      string             `json:"containerArn"`
	ExitCode          *int32             `json:"exitCode,omitempty"`
	LastStatus        ecs.TaskStatus     `json:"lastStatus"`
	Name              string             `json:"name"`
	Image             string             `json:"image,omitempty"`
	ImageDigest       string             `json:"imageDigest,omitempty"`
	Reason            string             `json:"reason,omitempty"`
	RuntimeID         string             `json:"runtimeId,omitempty"`
	TaskArn           arn.Task           `json:"taskArn"`
	NetworkBindings   []binding          `json:"networkBindings,omitempty"`
	NetworkInterfaces []networkInterface `json:"networkInterfaces"`
	CPU               string             `json:"cpu"`
	GPUIDs            []string           `json:"gpuIds,omitempty"`
	Memory            string             `json:"memory,omitempty"`
	MemoryReservation string             `json:"memoryReservation,omitempty"`
}

type attachment struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	Status  string   `json:"status"`
	Details []detail `json:"details"`
}

type detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type networkInterface struct {
	AttachmentID       string `json:"attachmentId"`
	PrivateIPv4Address string `json:"privateIpv4Address"`
}

type ephemeralStorage struct {
	SizeInGiB int32 `json:"sizeInGiB"`
}

type binding struct {
	BindIP        string                  `json:"bindIP,omitempty"`
	ContainerPort *int32                  `json:"containerPort,omitempty"`
	HostPort      *int32                  `json:"hostPort,omitempty"`
	Protocol      types.TransportProtocol `json:"protocol,omitempty"`

	ContainerPortRange string `json:"containerPortRange,omitempty"`
	HostPortRange      string `json:"hostPortRange,omitempty"`
}

func (m *Maker) task(t *ecs.Task, v View, at time.Time) Event {
	d := v.Definition(t.TaskDefinitionArn)
	detail := Task{
		Attachments: attachments(t), ClusterArn: t.TaskArn.Cluster(), ContainerInstanceArn: t.ContainerInstanceArn, CapacityProviderName: t.CapacityProviderName,
		Containers: containers(t, d), CPU: strconv.Itoa(t.Reserved.CPUUnits), CreatedAt: moment(t.CreatedAt), DesiredStatus: t.DesiredStatus,
		EnableExecuteCommand: t.EnableExecuteCommand, ExecutionStoppedAt: momentOf(t.ExecutionStoppedAt), Group: t.Group, LaunchType: t.LaunchType,
		LastStatus: t.LastStatus, Memory: strconv.Itoa(t.Reserved.MemoryMiB), Overrides: m.taskOverrides(t, d),
		PullStartedAt: momentOf(t.PullStartedAt), PullStoppedAt: momentOf(t.PullStoppedAt), StartedAt: momentOf(t.StartedAt), StartedBy: t.StartedBy,
		StoppingAt: momentOf(t.StoppingAt), StoppedAt: momentOf(t.StoppedAt), StoppedReason: t.StoppedReason, StopCode: t.StopCode,
		TaskArn: t.TaskArn, TaskDefinitionArn: t.TaskDefinitionArn, UpdatedAt: moment(at), Version: t.Version,
	}
	if t.LaunchType != types.LaunchTypeExternal { // of whose machines ECS shows nothing
		detail.where(t)
	}
	return event(TaskStateChange, string(t.TaskArn), t.TaskArn.Cluster(), at, identity(TaskStateChange, t.Key(), t.Version), detail)
}

// where is what an event says of the container instance besides its ARN.
func (d *Task) where(t *ecs.Task) {
	d.AvailabilityZone = t.AvailabilityZone
	if t.CPUArchitecture != "" {
		d.Attributes = []attribute{{ecs.AttributeArchitecture, t.CPUArchitecture}}
	}
	if t.Fargate() { // whose instances nobody sees
		d.ContainerInstanceArn, d.PlatformVersion, d.EphemeralStorage = "", t.PlatformVersion, &ephemeralStorage{t.EphemeralStorageGiB}
		if i := t.Interface; i != nil && i.AttachedAt != nil {
			d.Connectivity, d.ConnectivityAt = types.ConnectivityConnected, moment(*i.AttachedAt)
		}
		return
	}
	if t.ContainerInstanceArn != "" {
		d.Connectivity, d.ConnectivityAt = types.ConnectivityConnected, moment(t.CreatedAt)
	}
}

// attachments are the task's network interface, where it has one. Its details go when it does, as in AWS's events.
func attachments(t *ecs.Task) []attachment {
	i, status := t.Interface, t.AttachmentStatus()
	if i == nil {
		return []attachment{}
	}
	a := attachment{i.AttachmentID, "eni", status, []detail{}}
	if status == ecs.AttachmentDeleted {
		return []attachment{a}
	}
	a.Details = append(a.Details, detail{"subnetId", i.SubnetID})
	if status != ecs.AttachmentPrecreated && !i.Failed {
		a.Details = append(a.Details, detail{"networkInterfaceId", i.NetworkInterfaceID}, detail{"macAddress", i.MACAddress},
			detail{"privateDnsName", i.PrivateDNSName(arn.ScopeOf(t.TaskArn).Region)}, detail{"privateIPv4Address", i.PrivateIPv4Address})
	}
	return []attachment{a}
}

// containers are a task's in the definition's order, also those of which the agent has not spoken. Without the definition they are those
// that it spoke of.
func containers(t *ecs.Task, d *ecs.TaskDefinition) []Container {
	out := []Container{}
	if d == nil {
		for i := range t.Containers {
			out = append(out, container(t, &t.Containers[i]))
		}
		return out
	}
	for i := range d.Definition.ContainerDefinitions {
		def := &d.Definition.ContainerDefinitions[i]
		c := container(t, reported(t, text(def.Name)))
		c.Image = text(def.Image)
		c.GPUIDs = t.ContainerGPUs(d, c.Name)
		c.size(def, ecs.ContainerOverride(t.Overrides, def.Name))
		out = append(out, c)
	}
	return out
}

// reported is what the agent said of a container.
func reported(t *ecs.Task, name string) *ecs.Container {
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return &t.Containers[i]
		}
	}
	return &ecs.Container{Name: name, LastStatus: ecs.Pending}
}

func container(t *ecs.Task, c *ecs.Container) Container {
	out := Container{
		ContainerArn: t.TaskArn.Container(ecs.ContainerID(t.TaskArn, c.Name)), ExitCode: c.ExitCode, LastStatus: c.LastStatus, Name: c.Name,
		ImageDigest: c.ImageDigest, Reason: c.Reason, RuntimeID: c.RuntimeID, TaskArn: t.TaskArn, NetworkInterfaces: []networkInterface{}, CPU: "0",
	}
	if i := t.Interface; i != nil && i.AttachedAt != nil {
		out.NetworkInterfaces = append(out.NetworkInterfaces, networkInterface{i.AttachmentID, i.PrivateIPv4Address})
	}
	for _, b := range c.NetworkBindings {
		out.NetworkBindings = append(out.NetworkBindings, binding{text(b.BindIP), b.ContainerPort, b.HostPort, b.Protocol, text(b.ContainerPortRange), text(b.HostPortRange)})
	}
	return out
}

// size is the container's cpu and memory, from the definition and the task's overrides.
func (c *Container) size(d *types.ContainerDefinition, o *types.ContainerOverride) {
	cpu, hard, soft := &d.Cpu, d.Memory, d.MemoryReservation
	if o != nil {
		cpu, hard, soft = first(o.Cpu, cpu), first(o.Memory, hard), first(o.MemoryReservation, soft)
	}
	c.CPU, c.Memory, c.MemoryReservation = number(cpu), number(hard), number(soft)
}

func first(a, b *int32) *int32 {
	if a != nil {
		return a
	}
	return b
}

func number(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// taskOverrides name every container, also where nothing of it is overridden.
func (m *Maker) taskOverrides(t *ecs.Task, d *ecs.TaskDefinition) json.RawMessage {
	o := types.TaskOverride{ContainerOverrides: []types.ContainerOverride{}}
	if t.Overrides != nil {
		o = *t.Overrides
		o.ContainerOverrides = append([]types.ContainerOverride{}, o.ContainerOverrides...)
	}
	if d != nil {
		for i := range d.Definition.ContainerDefinitions {
			if name := d.Definition.ContainerDefinitions[i].Name; ecs.ContainerOverride(t.Overrides, name) == nil {
				o.ContainerOverrides = append(o.ContainerOverrides, types.ContainerOverride{Name: name})
			}
		}
	}
	return m.overrides.EncodeJSON(&o)
}
