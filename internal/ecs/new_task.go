package ecs

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// TaskSpec is what a new task is made of.
type TaskSpec struct {
	Task                 arn.Task // with a new id
	Definition           *TaskDefinition
	Overrides            *types.TaskOverride
	Instance             *Instance      // nil where it waits for one
	Interface            *TaskInterface // in awsvpc mode
	Zone                 string         // of its subnet, where it has no instance
	CapacityProvider     string         // that a strategy chose
	PlatformVersion      string         // of Fargate
	Held                 Resources      // what tasks hold of the instance already; needed where the task has GPUs
	Group                string
	StartedBy            string
	Service              arn.Service
	LaunchType           types.LaunchType
	EnableExecuteCommand bool
	Tags                 []types.Tag
	Now                  time.Time
}

// NewTask returns a task that is placed on its instance: PENDING, or PROVISIONING where a network interface or a place is still to come, with its reservation.
func NewTask(s TaskSpec) *Task {
	t := &Task{
		TaskArn: s.Task, TaskDefinitionArn: s.Definition.ARN(), Group: s.Group, StartedBy: s.StartedBy, Service: s.Service,
		LaunchType: s.LaunchType, Overrides: s.Overrides, EnableExecuteCommand: s.EnableExecuteCommand, Tags: s.Tags,
		CreatedAt: s.Now, Version: 1, DesiredStatus: Running, LastStatus: Pending, HealthStatus: HealthUnknown,
		Reserved: Reservation(s.Definition, s.Overrides), Interface: s.Interface, CapacityProviderName: s.CapacityProvider, AvailabilityZone: s.Zone,
	}
	if s.Interface != nil || s.Instance == nil {
		t.LastStatus = Provisioning
	}
	if s.PlatformVersion != "" {
		t.onFargate(&s)
	}
	if s.Instance != nil {
		t.ContainerInstanceArn = s.Instance.ContainerInstanceArn
		t.AvailabilityZone = s.Instance.Zone()
		t.Reserved.GPUs = freeGPUs(s.Instance.Registered.GPUs, s.Held.GPUs, GPUs(s.Definition, s.Overrides))
		t.CPUArchitecture, _ = s.Instance.Attribute(AttributeArchitecture)
	}
	for i := range s.Definition.Definition.ContainerDefinitions {
		c := &s.Definition.Definition.ContainerDefinitions[i]
		if c.HealthCheck != nil && (c.Essential == nil || *c.Essential) {
			t.HealthChecked = true
		}
	}
	return t
}

// Reservation is what a task of d holds of its instance, by the agent's own formula (agent-protocol.md 10.2): the task's size, or else the
// sums over its containers of cpu and of memoryReservation (memory where there is none), and its static host ports.
func Reservation(d *TaskDefinition, o *types.TaskOverride) Resources {
	def := &d.Definition
	var r Resources
	for i := range def.ContainerDefinitions {
		c := &def.ContainerDefinitions[i]
		cpu, memory := containerSize(c, ContainerOverride(o, c.Name))
		r.CPUUnits += cpu
		r.MemoryMiB += memory
		r.addPorts(def.NetworkMode, c.PortMappings)
	}
	cpu, memory := def.Cpu, def.Memory
	if o != nil && o.Cpu != nil {
		cpu = o.Cpu
	}
	if o != nil && o.Memory != nil {
		memory = o.Memory
	}
	if cpu != nil {
		r.CPUUnits = CPUUnits(*cpu)
	}
	if memory != nil {
		r.MemoryMiB = MemoryMiB(*memory)
	}
	if def.NetworkMode == types.NetworkModeAwsvpc {
		r.ENIs = 1
	}
	r.GPUs = wantedGPUs(GPUs(d, o))
	slices.Sort(r.PortsTCP)
	slices.Sort(r.PortsUDP)
	return r
}

func containerSize(c *types.ContainerDefinition, o *types.ContainerOverride) (cpu, memory int) {
	cpu = int(c.Cpu)
	hard, soft := c.Memory, c.MemoryReservation
	if o != nil {
		if o.Cpu != nil {
			cpu = int(*o.Cpu)
		}
		if o.Memory != nil {
			hard = o.Memory
		}
		if o.MemoryReservation != nil {
			soft = o.MemoryReservation
		}
	}
	switch {
	case soft != nil && *soft > 0:
		memory = int(*soft)
	case hard != nil:
		memory = int(*hard)
	}
	return cpu, memory
}

// ContainerOverride is what a task's overrides say of the container with that name, nil if that is nothing.
func ContainerOverride(o *types.TaskOverride, name *string) *types.ContainerOverride {
	if o == nil || name == nil {
		return nil
	}
	for i := range o.ContainerOverrides {
		if n := o.ContainerOverrides[i].Name; n != nil && *n == *name {
			return &o.ContainerOverrides[i]
		}
	}
	return nil
}

// addPorts adds the host ports that are known before the start. In host mode a container port is a host port.
func (r *Resources) addPorts(mode types.NetworkMode, mappings []types.PortMapping) {
	if mode == types.NetworkModeAwsvpc || mode == types.NetworkModeNone {
		return
	}
	for _, m := range mappings {
		port := m.HostPort
		if mode == types.NetworkModeHost && (port == nil || *port == 0) {
			port = m.ContainerPort
		}
		if port == nil || *port == 0 {
			continue
		}
		if m.Protocol == types.TransportProtocolUdp {
			r.PortsUDP = append(r.PortsUDP, *port)
		} else {
			r.PortsTCP = append(r.PortsTCP, *port)
		}
	}
}

// CPUUnits reads a task's cpu: units ("512") or vCPUs (".5 vCPU"). 0 if it is neither.
func CPUUnits(s string) int { return amount(s, "vcpu", 1024) }

// MemoryMiB reads a task's memory: MiB ("512") or GB ("0.5 GB"). 0 if it is neither.
func MemoryMiB(s string) int { return amount(s, "gb", 1024) }

func amount(s, unit string, factor float64) int {
	s = strings.ToLower(strings.TrimSpace(s))
	number, is := strings.CutSuffix(s, unit)
	if !is {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || f < 0 || f > 1e6 {
		return 0
	}
	return int(math.Round(f * factor))
}
