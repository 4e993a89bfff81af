package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// Attribute names that placement and answers look up.
const (
	AttributeZone         = "ecs.availability-zone"
	AttributeInstanceType = "ecs.instance-type"
	AttributeImage        = "ecs.ami-id"
	AttributeArchitecture = "ecs.cpu-architecture"
	AttributeOSType       = "ecs.os-type"
	// AttributeHostAddress is Berth's own: the machine's address to which an instance's host ports are bound.
	AttributeHostAddress = "berth.host-address"
	// AttributeVPC is Berth's own: the agent makes the machine's part of VPCs, and takes messages about them.
	AttributeVPC = "berth.vpc"
	// AttributeUnderlay is Berth's own: the machine's address for the traffic between tasks on several machines, where there are several.
	AttributeUnderlay = "berth.underlay-address"
	// AttributeInterfaces is Berth's own: how many network interfaces the instance's tasks can have.
	AttributeInterfaces = "berth.network-interfaces"
	// AttributeExec is Berth's own: the agent opens sessions in containers, and takes messages about them.
	AttributeExec = "berth.exec"
	// AttributeTaskENI is what agents say that can run tasks in awsvpc mode.
	AttributeTaskENI = "ecs.capability.task-eni"
	// AttributeExternal is what the agent of an external instance (ECS Anywhere) says at its registration.
	AttributeExternal = "ecs.capability.external"
)

// DefaultInterfaces is how many network interfaces the tasks of an instance can have whose agent does not say it.
const DefaultInterfaces = 50

// What the ids of instances begin with: of EC2, and of external instances (ECS Anywhere).
const (
	ec2Prefix      = "i-"
	externalPrefix = "mi-"
)

// Instance is a container instance. Written by: the instance operations; controller instances (Connected, DisconnectedAt, and
// Status and DeregisteredAt when it is lost); the sweep (DeregisteredAt of older versions' records).
type Instance struct {
	ContainerInstanceArn arn.Instance
	Ec2InstanceID        string `json:"ec2InstanceId"`
	Status               string // ACTIVE, DRAINING, INACTIVE
	StatusReason         string
	Connected            bool       `json:"agentConnected"` // has an ACS session; AWS says agentConnected
	DisconnectedAt       *time.Time // since when it has none
	DeregisteredAt       *time.Time // since when it is INACTIVE
	AgentVersion         string
	AgentHash            string
	DockerVersion        string    // as AWS shows it: "DockerVersion: 20.10.24"
	Registered           Resources `json:"registeredResources"` // the ports in it are those that were reserved at registration
	Attributes           []types.Attribute
	Tags                 []types.Tag
	RegisteredAt         time.Time
	Version              int64
	AccessKeyID          string `json:"accessKeyId"` // the credential that registered it
	Registrar            string // who did, where that was no machine's own credential: the id of a user or a role, AIDA... or AROA...
	ClientToken          string // of its last registration
	RuntimeStatus        string // the agent's own check of its container runtime: OK, IMPAIRED, ...
	RuntimeStatusAt      *time.Time
	Unknown              Unknown
}

func (*Instance) Kind() Kind    { return KindInstance }
func (i *Instance) Key() string { return string(i.ContainerInstanceArn) }

// Attribute returns an attribute's value and whether the instance has it.
func (i *Instance) Attribute(name string) (string, bool) {
	for _, a := range i.Attributes {
		if a.Name != nil && *a.Name == name {
			if a.Value == nil {
				return "", true
			}
			return *a.Value, true
		}
	}
	return "", false
}

// External reports whether the instance is an external one (ECS Anywhere): only tasks of launch type EXTERNAL are placed on it. The instance's id
// says so, for all its life.
func (i *Instance) External() bool { return strings.HasPrefix(i.Ec2InstanceID, externalPrefix) }

// LaunchType is that of the instance's tasks: EXTERNAL or EC2.
func (i *Instance) LaunchType() types.LaunchType {
	if i.External() {
		return types.LaunchTypeExternal
	}
	return types.LaunchTypeEc2
}

// MachineID is the ec2InstanceId of a new instance whose machine has none of its own: "i-" or, of an external one, "mi-", and the first 17 digits
// of the instance's id.
func MachineID(i arn.Instance, external bool) string {
	id := i.ID()
	id = id[:min(17, len(id))]
	if external {
		return externalPrefix + id
	}
	return ec2Prefix + id
}

// PutAttribute gives the instance an attribute, or the one that it has another value. Attributes must be the instance's own slice.
func (i *Instance) PutAttribute(name string, value *string) {
	for n := range i.Attributes {
		if a := &i.Attributes[n]; a.Name != nil && *a.Name == name {
			a.Value = value
			return
		}
	}
	i.Attributes = append(i.Attributes, types.Attribute{Name: &name, Value: value})
}

// DeleteAttribute takes an attribute away. Attributes must be the instance's own slice.
func (i *Instance) DeleteAttribute(name string) {
	i.Attributes = slices.DeleteFunc(i.Attributes, func(a types.Attribute) bool { return a.Name != nil && *a.Name == name })
}

// CustomAttribute tells a user's attributes from those that say what the agent and its machine can do.
func CustomAttribute(name string) bool {
	for _, prefix := range []string{"ecs.", "com.amazonaws.", "berth."} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

// CustomAttributes is how many custom attributes the instance has.
func (i *Instance) CustomAttributes() (n int) {
	for _, a := range i.Attributes {
		if a.Name != nil && CustomAttribute(*a.Name) {
			n++
		}
	}
	return n
}

// Zone is the instance's availability zone.
func (i *Instance) Zone() string { z, _ := i.Attribute(AttributeZone); return z }
