package agent

import (
	"encoding/json"
	"fmt"
	"time"

	"berth/internal/acsproto"
)

// The labels of a container. Those of com.amazonaws.ecs are the official agent's.
const (
	LabelInstallation = "berth.installation"
	labelInstance     = "berth.instance"           // the local name
	labelInstanceARN  = "berth.container-instance" // so that an agent that lost its file registers as the same instance
	labelTask         = "berth.task"               // the order, without what only creating needs
	labelEndpoint     = "berth.endpoint"           // the id in the container's ECS_CONTAINER_METADATA_URI_V4 and ECS_AGENT_URI
	labelCluster      = "com.amazonaws.ecs.cluster"
	labelContainer    = "com.amazonaws.ecs.container-name"
	labelTaskARN      = "com.amazonaws.ecs.task-arn"
	labelFamily       = "com.amazonaws.ecs.task-definition-family"
	labelVersion      = "com.amazonaws.ecs.task-definition-version"
)

// Hidden says whether labels are those of a container that tasks do not know of.
func Hidden(labels map[string]string) bool { return hidden(labels[labelContainer]) }

func labelsOf(r *Record, c acsproto.Container, at place) (map[string]string, error) {
	order, err := json.Marshal(outline(r.Task))
	if err != nil {
		return nil, fmt.Errorf("write the order into a label: %w", err)
	}
	labels := map[string]string{
		LabelInstallation: at.Installation, labelInstance: r.Instance, labelInstanceARN: at.InstanceARN, labelTask: string(order),
		labelCluster: r.Task.Cluster, labelContainer: c.Name, labelTaskARN: r.Task.ARN, labelFamily: r.Task.Family, labelVersion: r.Task.Version,
	}
	if at.Endpoint != "" {
		labels[labelEndpoint] = at.Endpoint
	}
	return labels, nil
}

// outline is what must be known of a task to watch, stop, report and clean up what runs. It holds no environment and no command.
func outline(t acsproto.Task) acsproto.Task {
	o := acsproto.Task{ARN: t.ARN, Cluster: t.Cluster, DesiredStatus: t.DesiredStatus, Family: t.Family, Version: t.Version, CPU: t.CPU,
		MemoryMiB: t.MemoryMiB, NetworkMode: t.NetworkMode, Volumes: t.Volumes, LaunchType: t.LaunchType, ServiceName: t.ServiceName,
		Associations: t.Associations, Interfaces: t.Interfaces, EphemeralStorageGiB: t.EphemeralStorageGiB}
	for _, c := range t.Containers {
		o.Containers = append(o.Containers, acsproto.Container{Name: c.Name, Essential: c.Essential, DependsOn: c.DependsOn, Links: c.Links,
			VolumesFrom: c.VolumesFrom, StartTimeout: c.StartTimeout, StopTimeout: c.StopTimeout, PortMappings: c.PortMappings,
			HealthCheckType: c.HealthCheckType, RestartPolicy: c.RestartPolicy, Firelens: c.Firelens, Secrets: logSecrets(c), MemoryMiB: c.MemoryMiB, CPUUnits: c.CPUUnits, ContainerARN: c.ContainerARN})
	}
	return o
}

// adopt makes the record of a task that is known only from the labels of one of its containers. Containers that the engine has are
// looked at; those that it has not wait for the order to come again.
func adopt(labels map[string]string) (*Record, error) {
	var t acsproto.Task
	if err := json.Unmarshal([]byte(labels[labelTask]), &t); err != nil {
		return nil, fmt.Errorf("read the order in a label: %w", err)
	}
	if t.ARN == "" || t.ARN != labels[labelTaskARN] || len(t.Containers) == 0 {
		return nil, fmt.Errorf("read the order in a label: it is not that of task %q", labels[labelTaskARN])
	}
	r := &Record{Task: t, Instance: labels[labelInstance], Adopted: true, Network: t.NetworkMode}
	if r.Network == "" {
		r.Network = "bridge"
	}
	if err := checkInterface(r); err != nil {
		return nil, fmt.Errorf("read the order in a label: %w", err)
	}
	for _, c := range t.Containers {
		r.Containers = append(r.Containers, Container{Name: c.Name})
	}
	return r, nil
}

// complete gives an adopted record the whole order.
func (r *Record) complete(whole *Record) {
	r.Task, r.Network, r.Adopted = whole.Task, whole.Network, false
}

// vanished ends the containers of an adopted task that the engine does not have and that nobody has ordered since.
func (r *Record) vanished(now time.Time) (changed bool) {
	for i := range r.Containers {
		if c := &r.Containers[i]; r.Adopted && !r.stopping() && !c.Busy && !c.Unseen && !c.begun() {
			c.end(now, nil, vanishedReason)
			changed = true
		}
	}
	return changed
}

// vanishedReason is ECS's reason for a container that was removed behind the agent's back.
const vanishedReason = "ContainerVanishedError: No container matching saved ID found"
