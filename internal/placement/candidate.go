package placement

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// candidate is an instance with what is left of it, as the decision goes on.
type candidate struct {
	instance *ecs.Instance
	index    int
	cpu, mib int // left
	tcp, udp []int32
	tasks    int
	group    int // tasks of the request's group
	fixed    Verdict
	random   uint64
}

// checker holds what a request asks of every instance.
type checker struct {
	Request
	distinct bool
}

func newChecker(r Request) checker {
	return checker{r, slices.ContainsFunc(r.Constraints, func(c types.PlacementConstraint) bool {
		return c.Type == types.PlacementConstraintTypeDistinctInstance
	})}
}

// candidates reads the fleet once.
func (k checker) candidates(f Fleet) []candidate {
	var out []candidate
	for i := range f.Instances() {
		c := candidate{instance: i, index: len(out)}
		c.fixed = Verdict{Instance: i.ContainerInstanceArn, Reason: k.fixed(i)}
		used, tasks := f.Reserved(i.ContainerInstanceArn)
		c.cpu, c.mib, c.tasks = i.Registered.CPUUnits-used.CPUUnits, i.Registered.MemoryMiB-used.MemoryMiB, tasks
		c.tcp, c.udp = ports(i.Registered.PortsTCP, used.PortsTCP), ports(i.Registered.PortsUDP, used.PortsUDP)
		c.group = f.InGroup(k.Group, i.ContainerInstanceArn)
		out = append(out, c)
	}
	return out
}

// ports joins two sorted lists without touching them.
func ports(a, b []int32) []int32 {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	out := slices.Concat(a, b)
	slices.Sort(out)
	return out
}

// fixed are the checks whose outcome does not change while tasks are placed.
func (k checker) fixed(i *ecs.Instance) Reason {
	if i.Status != ecs.Active {
		return Inactive
	}
	for _, name := range k.Required {
		if _, has := i.Attribute(name); !has {
			return Attribute
		}
	}
	if !i.Connected {
		return Agent
	}
	return None
}

// verdict says whether the candidate takes one more task.
func (k checker) verdict(c *candidate) Verdict {
	v := c.fixed
	switch {
	case v.Reason != None:
	case k.distinct && c.group > 0:
		v.Reason = DistinctInstance
	case c.cpu < k.Reserve.CPUUnits:
		v.Reason, v.Short = CPU, k.Reserve.CPUUnits-c.cpu
	case c.mib < k.Reserve.MemoryMiB:
		v.Reason, v.Short = Memory, k.Reserve.MemoryMiB-c.mib
	case ecs.Collide(k.Reserve.PortsTCP, c.tcp):
		v.Reason = PortsTCP
	case ecs.Collide(k.Reserve.PortsUDP, c.udp):
		v.Reason = PortsUDP
	}
	return v
}

// fits is verdict without the words.
func (k checker) fits(c *candidate) bool { return k.verdict(c).Reason == None }

// take books one task on the candidate.
func (k checker) take(c *candidate) {
	c.cpu -= k.Reserve.CPUUnits
	c.mib -= k.Reserve.MemoryMiB
	c.tasks++
	c.group++
	if len(k.Reserve.PortsTCP) > 0 {
		c.tcp = ports(c.tcp, k.Reserve.PortsTCP)
	}
	if len(k.Reserve.PortsUDP) > 0 {
		c.udp = ports(c.udp, k.Reserve.PortsUDP)
	}
}
