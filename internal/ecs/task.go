package ecs

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/uuid"
)

// TaskStatus is a task's or container's status. It only moves forward.
type TaskStatus string

// The statuses in their order.
const (
	Provisioning   TaskStatus = "PROVISIONING"
	Pending        TaskStatus = "PENDING"
	Activating     TaskStatus = "ACTIVATING"
	Running        TaskStatus = "RUNNING"
	Deactivating   TaskStatus = "DEACTIVATING"
	Stopping       TaskStatus = "STOPPING"
	Deprovisioning TaskStatus = "DEPROVISIONING"
	Stopped        TaskStatus = "STOPPED"
)

// rank is a status's place in the order, -1 for none of them.
func (s TaskStatus) rank() int {
	switch s {
	case Provisioning:
		return 0
	case Pending:
		return 1
	case Activating:
		return 2
	case Running:
		return 3
	case Deactivating:
		return 4
	case Stopping:
		return 5
	case Deprovisioning:
		return 6
	case Stopped:
		return 7
	}
	return -1
}

// Known reports whether s is one of ECS's statuses.
func (s TaskStatus) Known() bool { return s.rank() >= 0 }

// After reports whether s comes later in a task's life than t.
func (s TaskStatus) After(t TaskStatus) bool { return s.rank() > t.rank() }

// Health is the health of a task or container.
type Health = types.HealthStatus

// The values of Health.
const (
	HealthUnknown   = types.HealthStatusUnknown
	HealthHealthy   = types.HealthStatusHealthy
	HealthUnhealthy = types.HealthStatusUnhealthy
)

// Task is a task. It runs at most once; its replacement is a new task. It refers to its definition and keeps only what is its own.
type Task struct {
	TaskArn              arn.Task
	TaskDefinitionArn    arn.TaskDefinition
	ContainerInstanceArn arn.Instance
	AvailabilityZone     string
	CPUArchitecture      string `json:"cpuArchitecture"` // of the instance: x86_64 or arm64
	Group                string // service:NAME or family:FAMILY, or the caller's own
	StartedBy            string // a service's deployment id, or the caller's own
	Service              arn.Service
	LaunchType           types.LaunchType
	Overrides            *types.TaskOverride
	Reserved             Resources // what the task holds of its instance, from definition and overrides, and dynamic ports once reported
	EnableExecuteCommand bool
	Interface            *TaskInterface // in awsvpc mode
	CapacityProviderName string         // FARGATE or FARGATE_SPOT, where a capacity provider strategy chose it
	PlatformVersion      string         // of a Fargate task: "1.4.0"
	PlatformFamily       string         // of a Fargate task: "Linux"
	EphemeralStorageGiB  int32          `json:"ephemeralStorageGiB"` // of a Fargate task
	Tags                 []types.Tag
	CreatedAt            time.Time
	Version              int64 // counts changes that AWS counts

	ProtectedUntil *time.Time // its service does not scale it in before. Written by: api/ecs update_task_protection.

	DesiredStatus TaskStatus // RUNNING, once STOPPED. Written by: Stop only.
	LastStatus    TaskStatus // Written by: Advance only.
	HealthStatus  types.HealthStatus
	HealthChecked bool        // an essential container has a health check: only HEALTHY counts as healthy
	Containers    []Container // in the definition's order; empty until the first report

	PullStartedAt      *time.Time
	PullStoppedAt      *time.Time
	StartedAt          *time.Time
	StoppingAt         *time.Time
	ExecutionStoppedAt *time.Time
	StoppedAt          *time.Time
	StopCode           types.TaskStopCode
	StoppedReason      string
	Counted            bool // its failure or success is in its deployment's counters. Written by: controller services.
	Unknown            Unknown
}

func (*Task) Kind() Kind    { return KindTask }
func (t *Task) Key() string { return string(t.TaskArn) }

// Container is what is known of one container of a task.
type Container struct {
	Name            string
	LastStatus      TaskStatus
	RuntimeID       string `json:"runtimeId"`
	ImageDigest     string
	ExitCode        *int32
	Reason          string
	HealthStatus    types.HealthStatus
	NetworkBindings []types.NetworkBinding
}

// Clone copies t far enough that containers and reservation can be changed in the copy.
func (t *Task) Clone() *Task {
	c := *t
	c.Containers = slices.Clone(t.Containers)
	c.Reserved = t.Reserved.Clone()
	return &c
}

// Deployment is the id of the service deployment that the task belongs to, "" for a task of its own.
func (t *Task) Deployment() string {
	if t.Service != "" && strings.HasPrefix(t.StartedBy, "ecs-svc/") {
		return t.StartedBy
	}
	return ""
}

// Advance moves LastStatus forward and reports whether it moved. Going back is refused: a late report must not revive a stopped task.
func (t *Task) Advance(to TaskStatus) bool {
	if !to.After(t.LastStatus) {
		return false
	}
	t.LastStatus = to
	return true
}

// Stop makes STOPPED the desired status, once; the first stop's code and reason stay. It reports whether it was the first.
func (t *Task) Stop(now time.Time, code types.TaskStopCode, reason string) bool {
	if t.DesiredStatus == Stopped {
		return false
	}
	t.DesiredStatus = Stopped
	t.StoppingAt = &now
	t.StopCode, t.StoppedReason = code, reason
	t.Version++
	if t.Waiting() { // no agent has it, so none reports its end
		t.LastStatus, t.StoppedAt = Stopped, &now
	}
	return true
}

// Waiting reports whether the task has no container instance yet: it waits for capacity.
func (t *Task) Waiting() bool { return t.ContainerInstanceArn == "" && t.LastStatus == Provisioning }

// Fargate reports whether the task is on Fargate, or waits for a place there.
func (t *Task) Fargate() bool { return t.PlatformVersion != "" }

// Over reports whether the task has stopped for good.
func (t *Task) Over() bool { return t.LastStatus == Stopped }

// Healthy reports whether the task does its work: RUNNING, and HEALTHY where it has a health check.
func (t *Task) Healthy() bool {
	if t.LastStatus != Running || t.HealthStatus == HealthUnhealthy {
		return false
	}
	return !t.HealthChecked || t.HealthStatus == HealthHealthy
}

// ContainerID is the tail of a container's ARN: a UUID that follows from the task and the name, so that it need not be stored.
func ContainerID(t arn.Task, name string) string {
	h := sha256.Sum256([]byte(string(t) + "\x00" + name))
	return uuid.Of(h[:])
}
