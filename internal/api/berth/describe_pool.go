package berth

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// DescribePoolInput has no members.
type DescribePoolInput struct{}

// DescribePoolOutput is the state of Fargate's pool.
type DescribePoolOutput struct {
	Grows   bool // an instance provider launches members
	Members []PoolMember
	Waiting []PoolNeed
	Zones   []PoolZone
}

// The statuses of members of the pool.
const (
	MemberLaunching    = "LAUNCHING"    // asked of the instance provider, or registered and about to connect
	MemberActive       = "ACTIVE"       // takes tasks
	MemberDisconnected = "DISCONNECTED" // its agent is not connected, so it takes no tasks
	MemberLeaving      = "LEAVING"      // the instance provider is to end it
)

// PoolMember is a member of the pool. CPU is in units, memory in MiB.
type PoolMember struct {
	Id                   string // by which the instance provider knows it; of one that joined by hand, its container instance's
	Status               string
	Zone                 string
	Architecture         string
	ByHand               bool // it joined by hand, so it is never terminated
	Cpu, Memory          int32
	FreeCpu, FreeMemory  int32
	Tasks, SpotTasks     int32 // the Spot ones are among the tasks
	ContainerInstanceArn string
	LaunchedAt           time.Time
	IdleSince            *time.Time
}

// PoolNeed is a number of equal tasks that wait for a place.
type PoolNeed struct {
	Zone, Architecture string
	Cpu, Memory        int32 // of each
	Spot               bool
	Count              int32
	Since              time.Time // since when the oldest of them waits
}

// PoolZone is where members are launched. Failures are those of the instance provider in a row, Reason is what it said at the last one.
type PoolZone struct {
	Zone, Architecture string
	Unavailable        bool // tasks that find no room there get none now
	Failures           int32
	Reason             string
	LastFailure        *time.Time
}

// describePool is for operators: no API of AWS's shows the pool.
func (a *API) describePool(context.Context, *frontdoor.Request, *DescribePoolInput) (*DescribePoolOutput, error) {
	v := a.State.View()
	out := &DescribePoolOutput{Members: poolMembers(v.Tables), Waiting: poolNeeds(v.Tables)}
	if p := v.Pool(); p != nil {
		out.Grows = p.Grows
		for _, z := range p.Zones {
			out.Zones = append(out.Zones, PoolZone{
				Zone: z.Zone, Architecture: z.Architecture, Unavailable: p.Unavailable(z.Zone, z.Architecture), Failures: int32(z.Failures), Reason: z.Reason, LastFailure: z.LastFailure,
			})
		}
	}
	return out, nil
}

// poolMembers are the members by zone and id.
func poolMembers(t *state.Tables) (list []PoolMember) {
	joined := map[string]bool{}
	for i := range t.Instances.Under(string(arn.Pool.Instance("")), "") {
		if i.Status == ecs.Inactive {
			continue
		}
		id, _ := i.Attribute(ecs.AttributeMember)
		m := joinedMember(t, i, t.PoolMembers.Get(id))
		joined[m.Id] = true
		list = append(list, m)
	}
	for m := range t.PoolMembers.All() {
		if joined[m.ID] {
			continue
		}
		x := PoolMember{
			Id: m.ID, Status: MemberLaunching, Zone: m.Zone, Architecture: m.Architecture, Cpu: int32(m.CPUUnits), Memory: int32(m.MemoryMiB), LaunchedAt: m.LaunchedAt,
			FreeCpu: int32(m.CPUUnits), FreeMemory: int32(m.MemoryMiB),
		}
		if m.Leaving {
			x.Status, x.FreeCpu, x.FreeMemory = MemberLeaving, 0, 0
		}
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b PoolMember) int { return cmp.Or(strings.Compare(a.Zone, b.Zone), strings.Compare(a.Id, b.Id)) })
	return list
}

// joinedMember is a member with its container instance; m is nil of one that joined by hand.
func joinedMember(t *state.Tables, i *ecs.Instance, m *ecs.PoolMember) PoolMember {
	u := t.Tasks.Usage(i.ContainerInstanceArn)
	x := PoolMember{
		Id: i.ContainerInstanceArn.ID(), Status: MemberActive, Zone: i.Zone(), ByHand: m == nil, Tasks: int32(u.Tasks), ContainerInstanceArn: string(i.ContainerInstanceArn),
		Cpu: int32(i.Registered.CPUUnits), Memory: int32(i.Registered.MemoryMiB), LaunchedAt: i.RegisteredAt,
		FreeCpu: int32(i.Registered.CPUUnits - u.Reserved.CPUUnits), FreeMemory: int32(i.Registered.MemoryMiB - u.Reserved.MemoryMiB),
	}
	x.Architecture, _ = i.Attribute(ecs.AttributeArchitecture)
	if m != nil {
		x.Id, x.LaunchedAt, x.IdleSince = m.ID, m.LaunchedAt, m.IdleSince
	}
	for task := range t.Tasks.OnInstance(i.ContainerInstanceArn) {
		if task.CapacityProviderName == ecs.ProviderFargateSpot {
			x.SpotTasks++
		}
	}
	switch {
	case m != nil && m.Leaving || i.Status == ecs.Draining:
		x.Status = MemberLeaving
	case !i.Connected && i.DisconnectedAt != nil && i.DisconnectedAt.Equal(i.RegisteredAt):
		x.Status = MemberLaunching
	case !i.Connected:
		x.Status = MemberDisconnected
	}
	return x
}

// poolNeeds are the tasks that wait, equal ones together, in the order of the oldest of each.
func poolNeeds(t *state.Tables) (list []PoolNeed) {
	at := map[PoolNeed]int{}
	for x := range t.Tasks.Waiting() {
		n := PoolNeed{
			Zone: x.AvailabilityZone, Architecture: x.CPUArchitecture, Cpu: int32(x.Reserved.CPUUnits), Memory: int32(x.Reserved.MemoryMiB),
			Spot: x.CapacityProviderName == ecs.ProviderFargateSpot,
		}
		i, known := at[n]
		if !known {
			i = len(list)
			at[n] = i
			n.Since = x.CreatedAt
			list = append(list, n)
		}
		list[i].Count++
	}
	return list
}
