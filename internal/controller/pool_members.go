package controller

import (
	"time"

	"berth/internal/arn"
	"berth/internal/capacity"
	"berth/internal/ecs"
	"berth/internal/state"
)

// members are the pool's members as package capacity looks at them: those that were asked for, and those that joined by themselves. On the way it records which
// have joined, which are idle, and which are gone.
func (c *Pool) members(tx *state.Tx, now time.Time) (out []capacity.Member) {
	joined := map[string]*ecs.Instance{}
	var others []*ecs.Instance
	for i := range tx.Instances.Under(string(arn.Pool.Instance("")), "") {
		if i.Status == ecs.Inactive {
			continue
		}
		if id, ok := i.Attribute(ecs.AttributeMember); ok && tx.PoolMembers.Get(id) != nil {
			joined[id] = i
		} else {
			others = append(others, i)
		}
	}
	var all []*ecs.PoolMember
	for m := range tx.PoolMembers.All() {
		all = append(all, m)
	}
	for _, m := range all {
		m = follow(tx, m, joined[m.ID], now)
		x := capacity.Member{
			ID: m.ID, Zone: m.Zone, Architecture: m.Architecture, Size: capacity.Size{CPUUnits: m.CPUUnits, MemoryMiB: m.MemoryMiB},
			State: capacity.Launching, LaunchedAt: m.LaunchedAt,
		}
		x.Free = x.Size
		if i := joined[m.ID]; i != nil {
			room(tx.Tables, i, &x)
		}
		if m.IdleSince != nil {
			x.IdleSince = *m.IdleSince
		}
		if m.Leaving {
			x.State, x.Free = capacity.Leaving, capacity.Size{}
		}
		out = append(out, x)
	}
	for _, i := range others {
		x := capacity.Member{ID: i.ContainerInstanceArn.ID(), Zone: i.Zone(), Fixed: true, LaunchedAt: i.RegisteredAt, IdleSince: now}
		x.Architecture, _ = i.Attribute(ecs.AttributeArchitecture)
		room(tx.Tables, i, &x)
		out = append(out, x)
	}
	return out
}

// follow keeps a member's record: the instance that it became, since when it is idle; one whose instance is gone leaves. The instance of one that leaves, which
// has joined after all, goes too.
func follow(tx *state.Tx, m *ecs.PoolMember, i *ecs.Instance, now time.Time) *ecs.PoolMember {
	n := *m
	switch {
	case i == nil && m.Instance != "": // it was deregistered, or lost
		n.Leaving = true
	case i == nil:
		return m
	case m.Leaving:
		tx.Put(i.Deregister(now))
		n.Instance = i.ContainerInstanceArn
	default:
		n.Instance = i.ContainerInstanceArn
		if tx.Tasks.Usage(i.ContainerInstanceArn).Tasks > 0 {
			n.IdleSince = nil
		} else if n.IdleSince == nil {
			n.IdleSince = &now
		}
	}
	if n.Instance == m.Instance && n.IdleSince == m.IdleSince && n.Leaving == m.Leaving {
		return m
	}
	tx.Put(&n)
	return &n
}

// room fills in what a member that has joined has, and what its tasks hold of it.
func room(t *state.Tables, i *ecs.Instance, x *capacity.Member) {
	used := t.Tasks.Usage(i.ContainerInstanceArn)
	x.State, x.Tasks = capacity.Ready, used.Tasks
	x.Size = capacity.Size{CPUUnits: i.Registered.CPUUnits, MemoryMiB: i.Registered.MemoryMiB}
	x.Free = capacity.Size{CPUUnits: x.Size.CPUUnits - used.Reserved.CPUUnits, MemoryMiB: x.Size.MemoryMiB - used.Reserved.MemoryMiB}
	if !i.Connected && i.DisconnectedAt != nil && i.DisconnectedAt.Equal(i.RegisteredAt) { // it has registered and is about to connect
		x.State = capacity.Launching
	} else if !i.Connected || i.Registered.ENIs <= used.Reserved.ENIs {
		x.Free = capacity.Size{}
	}
	if i.Status == ecs.Draining {
		x.State, x.Free = capacity.Leaving, capacity.Size{}
	}
	for task := range t.Tasks.OnInstance(i.ContainerInstanceArn) {
		held := capacity.Size{CPUUnits: task.Reserved.CPUUnits, MemoryMiB: task.Reserved.MemoryMiB}
		switch {
		case task.DesiredStatus == ecs.Stopped:
			x.Stopping = capacity.Size{CPUUnits: x.Stopping.CPUUnits + held.CPUUnits, MemoryMiB: x.Stopping.MemoryMiB + held.MemoryMiB}
		case task.CapacityProviderName == ecs.ProviderFargateSpot:
			x.Spot = capacity.Size{CPUUnits: x.Spot.CPUUnits + held.CPUUnits, MemoryMiB: x.Spot.MemoryMiB + held.MemoryMiB}
		}
	}
}
