package agent

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Who asks for instance metadata is known by the address that it asks from: on the engine's bridge a container's, in a VPC that of a task's interface.

// Host is a container instance as instance metadata tells of it. What is not known is "".
type Host struct {
	Instance string // local name
	Region   string
	Account  string
	Address  string // that the instance's host ports are bound to, "" for all of the machine's
	EC2Identity
}

// EC2Identity is what the control plane said of the instance when it registered.
type EC2Identity struct {
	InstanceID   string    `json:",omitempty"` // "i-..."
	Zone         string    `json:",omitempty"`
	ImageID      string    `json:",omitempty"`
	InstanceType string    `json:",omitempty"`
	Architecture string    `json:",omitempty"` // as ECS has it: x86_64 or arm64
	RegisteredAt time.Time `json:",omitzero"`
}

// What HostAt has no answer for.
var (
	ErrNoHost      = errors.New("no container of a task has this address")
	ErrHostBlocked = errors.New("the container gets no instance metadata")
)

// IMDS says which tasks get no instance metadata.
type IMDS struct {
	BlockAWSVPC bool // those in awsvpc mode, as of official agents with ECS_AWSVPC_BLOCK_IMDS
	BlockBridge bool // those in bridge mode
}

// HostAt finds the container instance of the container that asks from an address: in a VPC, or on the engine's bridge where vpc is "". ErrNoHost: it is no
// container of a task's. ErrHostBlocked: it is one of Fargate, of an external instance, or of a network mode that is blocked.
func (a *Agent) HostAt(ctx context.Context, vpc string, address netip.Addr) (Host, error) {
	t := a.taskAt(ctx, vpc, address.Unmap())
	if t == nil {
		return Host{}, ErrNoHost
	}
	var network, launchType string
	t.view(func(r *Record) { network, launchType = r.Network, r.Task.LaunchType })
	if !t.in.tells(network, launchType) {
		return Host{}, ErrHostBlocked
	}
	return t.in.host(), nil
}

// tells says whether tasks of a network mode and launch type are told of the instance. Those in host mode have no address of their own by which they are known.
func (i *instance) tells(network, launchType string) bool {
	if i.agent.InstanceRoles == nil || i.External || i.Member != "" || launchType == string(types.LaunchTypeFargate) {
		return false
	}
	switch network {
	case "bridge":
		return !i.agent.IMDS.BlockBridge
	case "awsvpc":
		return !i.agent.IMDS.BlockAWSVPC
	}
	return false
}

// taskAt finds the task of a container that runs. On the bridge, the engine is asked about containers that were just started.
func (a *Agent) taskAt(ctx context.Context, vpc string, address netip.Addr) *task {
	for _, t := range a.all() {
		found := false
		t.view(func(r *Record) {
			found = vpc != "" && !r.Stopped() && r.at(address) && a.vpcOf(r.Task) == vpc || vpc == "" && r.bridgedAt(address)
		})
		if found {
			return t
		}
	}
	if vpc != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	for _, t := range a.all() {
		for _, name := range t.addressless() {
			t.learnFacts(ctx, name)
		}
		found := false
		t.view(func(r *Record) { found = r.bridgedAt(address) })
		if found {
			return t
		}
	}
	return nil
}

// bridgedAt says whether a container of the task that has not ended has an address on the engine's bridge.
func (r *Record) bridgedAt(address netip.Addr) bool {
	if r.networked() || r.Stopped() {
		return false
	}
	text := address.String()
	for i := range r.Containers {
		c := &r.Containers[i]
		if c.Facts == nil || c.Phase < Starting || c.Phase == Ended {
			continue
		}
		for _, n := range c.Facts.Networks {
			if n.IPv4 == text {
				return true
			}
		}
	}
	return false
}

// addressless are the containers on the bridge that may run and whose address is not known yet.
func (t *task) addressless() (names []string) {
	t.view(func(r *Record) {
		for _, c := range r.Containers {
			if r.Network == "bridge" && c.ID != "" && c.Phase >= Starting && c.Phase != Ended && c.Facts.unaddressed() {
				names = append(names, c.Name)
			}
		}
	})
	return names
}

// unaddressed says whether the facts tell of no address: there are none yet, or they are of before the start.
func (f *Facts) unaddressed() bool {
	if f == nil {
		return true
	}
	for _, n := range f.Networks {
		if n.IPv4 != "" {
			return false
		}
	}
	return true
}

// host is the instance as its containers are told of it.
func (i *instance) host() Host {
	i.mu.Lock()
	defer i.mu.Unlock()
	h := Host{Instance: i.Name, Region: i.agent.Region, Address: i.HostAddress, EC2Identity: i.identity.EC2}
	if i.identity.ARN != "" {
		scope := arn.ScopeOf(arn.Instance(i.identity.ARN))
		h.Account, h.Region = scope.Account, scope.Region
	}
	if h.Zone == "" {
		h.Zone = i.Zone
	}
	return h
}

// ec2Identity is what a registration's answer says of the machine.
func ec2Identity(c *types.ContainerInstance) EC2Identity {
	id := EC2Identity{InstanceID: aws.ToString(c.Ec2InstanceId), RegisteredAt: aws.ToTime(c.RegisteredAt).UTC()}
	for _, a := range c.Attributes {
		switch value := aws.ToString(a.Value); aws.ToString(a.Name) {
		case ecs.AttributeZone:
			id.Zone = value
		case ecs.AttributeImage:
			id.ImageID = value
		case ecs.AttributeInstanceType:
			id.InstanceType = value
		case ecs.AttributeArchitecture:
			id.Architecture = value
		}
	}
	return id
}
