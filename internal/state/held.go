package state

import (
	"iter"
	"slices"
	"strings"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/vpc"
)

// Daemons yields the cluster's ACTIVE services of scheduling strategy DAEMON.
func (t *Tables) Daemons(c arn.Cluster) iter.Seq[*ecs.Service] {
	prefix := string(c.Service(""))
	return t.daemons.from(&ecs.Service{ServiceArn: arn.Service(prefix)}, func(s *ecs.Service) bool {
		return strings.HasPrefix(string(s.ServiceArn), prefix)
	})
}

func activeDaemon(s *ecs.Service) bool { return s.IsDaemon() && s.Status == ecs.Active }

// FleetForOthers is the cluster's container instances as those see them who place tasks of no daemon: what a daemon needs of an instance that is
// to have a task of it, and has room for one, is held for that task. Without it, who looks first at an instance that has just joined takes it.
func (t *Tables) FleetForOthers(c arn.Cluster) placement.Fleet {
	f := fleet{t, c}
	var list []awaited
	for s := range t.Daemons(c) {
		if a, some := f.awaits(s); some {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return f
	}
	return &heldFleet{f, list}
}

// awaited is a daemon that lacks tasks.
type awaited struct {
	group    string
	reserve  ecs.Resources
	check    func(placement.Fleet, *ecs.Instance) placement.Verdict
	stopping map[arn.Instance]bool // a task of it is on its way out, and its room is the next one's
}

// awaits returns the daemon as far as it may lack tasks. One that has as many as there are instances lacks none.
func (f fleet) awaits(s *ecs.Service) (a awaited, some bool) {
	n, p := f.Tasks.ServiceCounts(s.ServiceArn), s.Primary()
	if p == nil || n.WantPending+n.WantRunning >= f.Tables.Cluster(f.cluster).Instances {
		return a, false
	}
	d := f.Definitions.Get(p.TaskDefinition)
	if d == nil {
		return a, false
	}
	r := placement.ServiceRequest(s, d)
	if r.Zones, some = f.SubnetZones(s); !some {
		return a, false
	}
	a = awaited{group: r.Group, reserve: r.Reserve, check: placement.NewCheck(r), stopping: map[arn.Instance]bool{}}
	for x := range f.Tasks.Stopping(s.ServiceArn) {
		a.stopping[x.ContainerInstanceArn] = true
	}
	return a, true
}

// SubnetZones are the availability zones where a service's tasks can have their network interfaces, nil (any) of one whose tasks have none. ok is false where its
// subnets are gone.
func (t *Tables) SubnetZones(s *ecs.Service) (zones []string, ok bool) {
	if s.NetworkConfiguration == nil || s.NetworkConfiguration.AwsvpcConfiguration == nil {
		return nil, true
	}
	for _, id := range s.NetworkConfiguration.AwsvpcConfiguration.Subnets {
		if n := t.Subnets.Get(vpc.ARN(arn.ScopeOf(s.ServiceArn), vpc.KindSubnet, id)); n != nil && !slices.Contains(zones, n.AvailabilityZone) {
			zones = append(zones, n.AvailabilityZone)
		}
	}
	return zones, len(zones) > 0
}

// heldFleet is a fleet on which daemons lack tasks.
type heldFleet struct {
	fleet
	daemons []awaited
}

// Rooms implements placement.Fleet. It reads the daemons' counts beside the instances.
func (h *heldFleet) Rooms(group string) iter.Seq[placement.Room] {
	counts := make([]*alongside[int], len(h.daemons))
	for n, d := range h.daemons {
		counts[n] = h.Tasks.groups.along(groupKey(h.cluster, d.group, ""))
	}
	return func(yield func(placement.Room) bool) {
		for r := range h.fleet.Rooms(group) {
			has := func(n int) bool { return counts[n].at(string(r.Instance.ContainerInstanceArn)) > 0 }
			if !yield(h.hold(r, has)) {
				return
			}
		}
	}
}

// Draw implements placement.Fleet.
func (h *heldFleet) Draw(group string) (n int, room func(int) (placement.Room, bool)) {
	n, at := h.fleet.Draw(group)
	return n, func(i int) (placement.Room, bool) {
		r, ok := at(i)
		if ok {
			r = h.hold(r, h.hasOn(r.Instance))
		}
		return r, ok
	}
}

// Room implements placement.Fleet.
func (h *heldFleet) Room(group string, i *ecs.Instance) placement.Room {
	return h.hold(h.fleet.Room(group, i), h.hasOn(i))
}

// hasOn says whether the n-th daemon has its task on an instance.
func (h *heldFleet) hasOn(i *ecs.Instance) func(n int) bool {
	return func(n int) bool { return h.Tasks.InGroup(h.cluster, h.daemons[n].group, i.ContainerInstanceArn) > 0 }
}

// hold reserves what daemons need in the room. has says whether the n-th has its task there.
func (h *heldFleet) hold(r placement.Room, has func(n int) bool) placement.Room {
	for n := range h.daemons {
		d := &h.daemons[n]
		if !has(n) && !d.stopping[r.Instance.ContainerInstanceArn] && d.check(h.fleet, r.Instance).Reason == placement.None {
			r.Reserved = r.Reserved.Add(d.reserve)
		}
	}
	return r
}
