package events

import (
	"slices"
	"strconv"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Instance is the detail of a container instance's event.
type Instance struct {
	AgentConnected       bool         `json:"agentConnected"`
	Attributes           []attribute  `json:"attributes"`
	ClusterArn           arn.Cluster  `json:"clusterArn"`
	ContainerInstanceArn arn.Instance `json:"containerInstanceArn"`
	Ec2InstanceID        string       `json:"ec2InstanceId,omitempty"`
	PendingTasksCount    int          `json:"pendingTasksCount"`
	RegisteredAt         string       `json:"registeredAt"`
	RegisteredResources  []resource   `json:"registeredResources"`
	RemainingResources   []resource   `json:"remainingResources"`
	RunningTasksCount    int          `json:"runningTasksCount"`
	Status               string       `json:"status"`
	StatusReason         string       `json:"statusReason,omitempty"`
	Version              int64        `json:"version"`
	VersionInfo          versionInfo  `json:"versionInfo"`
	UpdatedAt            string       `json:"updatedAt"`
}

type versionInfo struct {
	AgentHash     string `json:"agentHash,omitempty"`
	AgentVersion  string `json:"agentVersion,omitempty"`
	DockerVersion string `json:"dockerVersion,omitempty"`
}

type resource struct {
	Name           string    `json:"name"`
	Type           string    `json:"type"`
	IntegerValue   *int      `json:"integerValue,omitempty"`
	StringSetValue *[]string `json:"stringSetValue,omitempty"`
}

func instance(i *ecs.Instance, v View, at time.Time) Event {
	held, running, pending := v.Held(i.ContainerInstanceArn)
	detail := Instance{
		AgentConnected: i.Connected, Attributes: []attribute{}, ClusterArn: i.ContainerInstanceArn.Cluster(), ContainerInstanceArn: i.ContainerInstanceArn,
		Ec2InstanceID: i.Ec2InstanceID, PendingTasksCount: pending, RegisteredAt: moment(i.RegisteredAt), RegisteredResources: resources(i.Registered),
		RemainingResources: resources(i.Registered.Less(held)), RunningTasksCount: running, Status: i.Status, StatusReason: i.StatusReason,
		Version: i.Version, VersionInfo: versionInfo{i.AgentHash, i.AgentVersion, i.DockerVersion}, UpdatedAt: moment(at),
	}
	for _, a := range i.Attributes {
		detail.Attributes = append(detail.Attributes, attribute{text(a.Name), text(a.Value)})
	}
	return event(InstanceStateChange, i.Key(), detail.ClusterArn, at, identity(InstanceStateChange, i.Key(), i.Version), detail)
}

// resources lists them in AWS's order. Ports are those in use.
func resources(r ecs.Resources) []resource {
	out := []resource{
		{Name: "CPU", Type: "INTEGER", IntegerValue: &r.CPUUnits},
		{Name: "MEMORY", Type: "INTEGER", IntegerValue: &r.MemoryMiB},
		{Name: "PORTS", Type: "STRINGSET", StringSetValue: ports(r.PortsTCP)},
		{Name: "PORTS_UDP", Type: "STRINGSET", StringSetValue: ports(r.PortsUDP)},
	}
	if r.GPUs != nil {
		out = append(out, resource{Name: "GPU", Type: "STRINGSET", StringSetValue: &r.GPUs})
	}
	return out
}

func ports(list []int32) *[]string {
	out := []string{}
	for _, p := range slices.Compact(slices.Clone(list)) {
		out = append(out, strconv.Itoa(int(p)))
	}
	return &out
}
