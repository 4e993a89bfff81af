// Package placement decides which container instances run a task: resources, required attributes, constraints and strategies, and always
// why an instance was refused. It is pure: a Fleet and a Request in, a Plan out.
package placement

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Fleet is what a decision looks at: a cluster's container instances, and sums of what is on them.
type Fleet interface {
	// Rooms yields the instances that are not INACTIVE, in a fixed order. A decision makes one pass.
	Rooms(group string) iter.Seq[Room]
	// Draw gives access to the rooms of n instances by number, in the same order; ok is false for one that is INACTIVE.
	Draw(group string) (n int, room func(i int) (r Room, ok bool))
	// Room is that of one instance.
	Room(group string, i *ecs.Instance) Room
	// Groups yields the groups of the tasks that should run on an instance.
	Groups(i *ecs.Instance) iter.Seq[string]
}

// Room is a container instance and what is on it.
type Room struct {
	Instance *ecs.Instance
	Reserved ecs.Resources // what its tasks hold of it
	Tasks    int           // on it, not stopped
	Running  int           // of these, RUNNING
	InGroup  int           // tasks of the group that should run on it
}

// Request is a number of equal tasks to place.
type Request struct {
	Count       int
	Group       string
	LaunchType  types.LaunchType // EXTERNAL is for external instances only, every other one ("" too) for the others only
	Reserve     ecs.Resources    // of each task
	Required    []string         // attributes that the instance must have, or must have with a value: "ecs.os-type=linux"
	Strategy    []types.PlacementStrategy
	Constraints []types.PlacementConstraint
	// Service gives a request without a strategy the service scheduler's: spread over availability zones, there the instance with the
	// fewest tasks of the group. Without it, such a request is placed at random.
	Service bool
	Zones   []string // availability zones where the tasks may be: those of their subnets; none is all
	Zone    string   // the only availability zone whose instances are looked at; "" is all
	Seed    uint64   // of strategy random
}

// platform is what a machine must be for a definition that says so. AWS does not show it among the attributes that a definition requires.
func platform(p *types.RuntimePlatform) (out []string) {
	if p == nil {
		return nil
	}
	switch p.CpuArchitecture {
	case types.CPUArchitectureX8664:
		out = append(out, ecs.AttributeArchitecture+"=x86_64")
	case types.CPUArchitectureArm64:
		out = append(out, ecs.AttributeArchitecture+"=arm64")
	}
	switch {
	case p.OperatingSystemFamily == types.OSFamilyLinux:
		out = append(out, ecs.AttributeOSType+"=linux")
	case p.OperatingSystemFamily != "":
		out = append(out, ecs.AttributeOSType+"=windows")
	}
	return out
}

// Plan is where the tasks go, and why the rest found no place.
type Plan struct {
	Placed  []arn.Instance // one for each task that found a place
	Refused int            // tasks that found none
	// Reasons count why instances refuse one more task, the most frequent first; filled when a task was refused.
	Reasons []Count
	// Closest is the instance that came nearest to taking one more task. Its Instance is "" where the fleet is empty.
	Closest Verdict
}

// Count is how many instances refuse for a reason.
type Count struct {
	Reason    Reason
	Instances int
}

// Verdict is what an instance says to one more task. Reason is None if it takes it.
type Verdict struct {
	Instance arn.Instance
	Reason   Reason
	Short    int // by how much, in the reason's own unit
}

// RequiredAttributes are the attributes that a definition needs, those of its runtime platform among them.
func RequiredAttributes(d *ecs.TaskDefinition) []string {
	out := platform(d.Definition.RuntimePlatform)
	for _, a := range d.Definition.RequiresAttributes {
		if a.Name != nil {
			out = append(out, *a.Name)
		}
	}
	return out
}

// ServiceRequest is what a task of the service needs, of the given definition and without a number of tasks.
func ServiceRequest(s *ecs.Service, d *ecs.TaskDefinition) Request {
	return Request{
		Group: "service:" + s.ServiceArn.Name(), LaunchType: s.LaunchType, Reserve: ecs.Reservation(d, nil), Required: RequiredAttributes(d), Service: true,
		Strategy: s.PlacementStrategy, Constraints: Constraints(s.PlacementConstraints, d),
	}
}
