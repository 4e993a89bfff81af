package placement

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// candidate is an instance with what is left of it, as the decision goes on.
type candidate struct {
	instance *ecs.Instance
	index    int
	cpu, mib int // left
	gpus     int
	enis     int
	tcp, udp []int32
	tasks    int
	running  int
	group    int // tasks of the request's group
	fixed    Verdict
	turn     int64 // when strategy random wants it next
}

// checker holds what a request asks of every instance.
type checker struct {
	Request
	fleet    Fleet
	distinct bool
	random   bool
	required []*lookup
	zone     *lookup
	members  *members // nil: any instance will do
}

func newChecker(f Fleet, r Request) *checker {
	return &checker{
		Request: r, fleet: f, required: lookups(r.Required), zone: &lookup{name: ecs.AttributeZone}, members: readMembers(r.Constraints),
		distinct: slices.ContainsFunc(r.Constraints, func(c types.PlacementConstraint) bool {
			return c.Type == types.PlacementConstraintTypeDistinctInstance
		}),
		random: slices.ContainsFunc(chain(r), func(s types.PlacementStrategy) bool { return s.Type == types.PlacementStrategyTypeRandom }),
	}
}

// candidates reads the fleet once.
func (k *checker) candidates() []candidate {
	var out []candidate
	for r := range k.fleet.Rooms(k.Group) {
		if k.Zone != "" && k.zone.value(r.Instance) != k.Zone {
			continue
		}
		out = append(out, candidate{})
		k.fill(&out[len(out)-1], r, len(out)-1)
	}
	return out
}

func (k *checker) candidate(r Room, index int) candidate {
	var c candidate
	k.fill(&c, r, index)
	return c
}

// fill makes c, where it is, the candidate of an instance: expressions look at it by its address, and a look at a fleet makes many.
func (k *checker) fill(c *candidate, r Room, index int) {
	i := r.Instance
	*c = candidate{
		instance: i, index: index, tasks: r.Tasks, running: r.Running, group: r.InGroup,
		cpu: i.Registered.CPUUnits - r.Reserved.CPUUnits, mib: i.Registered.MemoryMiB - r.Reserved.MemoryMiB,
		gpus: len(i.Registered.GPUs) - len(r.Reserved.GPUs), enis: i.Registered.ENIs - r.Reserved.ENIs,
		tcp: ports(i.Registered.PortsTCP, r.Reserved.PortsTCP), udp: ports(i.Registered.PortsUDP, r.Reserved.PortsUDP),
	}
	c.fixed = Verdict{Instance: i.ContainerInstanceArn, Reason: k.fixed(c)}
	k.nextTurn(c)
}

// nextTurn draws when strategy random wants the candidate after this: turns come like the arrivals of independent equal streams, so that each
// turn is any candidate's with the same chance, whatever was before.
func (k *checker) nextTurn(c *candidate) {
	if !k.random {
		return
	}
	bits := mix(mix(k.Seed^uint64(c.index)<<32) ^ uint64(c.turn))
	u := (float64(bits>>11) + 0.5) / (1 << 53)
	c.turn += 1 + int64(-math.Log(u)*(1<<32))
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

// fixed are the checks whose outcome does not change while tasks are placed, but for constraints on the groups of tasks (take).
func (k *checker) fixed(c *candidate) Reason {
	i := c.instance
	if i.Status != ecs.Active {
		return Inactive
	}
	if i.External() != (k.LaunchType == types.LaunchTypeExternal) {
		return Attribute
	}
	if len(k.Zones) > 0 && !slices.Contains(k.Zones, k.zone.value(i)) {
		return Attribute
	}
	for _, l := range k.required {
		if v, has := l.of(i); !has || l.exact && v != l.want {
			return Attribute
		}
	}
	if !i.Connected {
		return Agent
	}
	if !k.members.hold(k.fleet, k.Group, c) {
		return MemberOf
	}
	return None
}

// verdict says whether the candidate takes one more task.
func (k *checker) verdict(c *candidate) Verdict {
	v := c.fixed
	switch {
	case v.Reason != None:
	case k.distinct && c.group > 0:
		v.Reason = DistinctInstance
	case c.cpu < k.Reserve.CPUUnits:
		v.Reason, v.Short = CPU, k.Reserve.CPUUnits-c.cpu
	case c.mib < k.Reserve.MemoryMiB:
		v.Reason, v.Short = Memory, k.Reserve.MemoryMiB-c.mib
	case c.enis < k.Reserve.ENIs:
		v.Reason, v.Short = ENI, k.Reserve.ENIs-c.enis
	case c.gpus < len(k.Reserve.GPUs):
		v.Reason, v.Short = GPU, len(k.Reserve.GPUs)-c.gpus
	case ecs.Collide(k.Reserve.PortsTCP, c.tcp):
		v.Reason = PortsTCP
	case ecs.Collide(k.Reserve.PortsUDP, c.udp):
		v.Reason = PortsUDP
	}
	return v
}

// fits is verdict without the words.
func (k *checker) fits(c *candidate) bool { return k.verdict(c).Reason == None }

// take books one task on the candidate.
func (k *checker) take(c *candidate) {
	c.cpu -= k.Reserve.CPUUnits
	c.mib -= k.Reserve.MemoryMiB
	c.gpus -= len(k.Reserve.GPUs)
	c.enis -= k.Reserve.ENIs
	c.tasks++
	c.group++
	k.nextTurn(c)
	if len(k.Reserve.PortsTCP) > 0 {
		c.tcp = ports(c.tcp, k.Reserve.PortsTCP)
	}
	if len(k.Reserve.PortsUDP) > 0 {
		c.udp = ports(c.udp, k.Reserve.PortsUDP)
	}
	if k.members != nil && k.members.byGroup && !k.members.hold(k.fleet, k.Group, c) {
		c.fixed.Reason = MemberOf
	}
}
