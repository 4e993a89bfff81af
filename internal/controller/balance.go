package controller

import (
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
)

// zonesOf is what a decision looks at to balance a service's availability zones.
func zonesOf(t *state.Tables, s *ecs.Service) *deployment.Zones {
	if s.PlatformVersion != "" { // on Fargate tasks are shared among the zones of their subnets when they start
		return nil
	}
	return &deployment.Zones{
		Tasks:   func(id string) iter.Seq2[string, int] { return t.Tasks.Zones(s.ServiceArn, id) },
		Cluster: t.Zones(s.ServiceArn.Cluster()),
		Usable:  func() []string { return usableZones(t, s) },
	}
}

// usableZones are the zones with an instance that fulfils the constraints of the service, or has a task of it already.
func usableZones(t *state.Tables, s *ecs.Service) (out []string) {
	p := s.Primary()
	d := t.Definitions.Get(p.TaskDefinition)
	if d == nil {
		return nil
	}
	seen := map[string]bool{}
	r := placement.ServiceRequest(s, d)
	r.Zones, _ = t.SubnetZones(s)
	for room, v := range placement.Survey(t.Fleet(s.ServiceArn.Cluster()), r) {
		switch v.Reason {
		case placement.Inactive:
			continue
		case placement.Attribute, placement.MemberOf:
			if room.InGroup == 0 {
				continue
			}
		}
		if z := room.Instance.Zone(); !seen[z] {
			seen[z] = true
			out = append(out, z)
		}
	}
	return out
}

// balance starts what the plan says beyond the desired count, zone by zone, and reports whether some found no place.
func (w *writer) balance(b *deployment.Balance) (unplaced bool) {
	spec, ok := w.ready(w.service.Primary())
	if !ok {
		return false
	}
	a, left := w.service.ServiceArn, b.Most
	full := map[string]bool{}
	for n, z := range slices.Concat(b.Zones, b.Rest) {
		if left == 0 {
			break
		}
		if full[z.Zone] {
			continue
		}
		r := placement.ServiceRequest(w.service, spec.Definition)
		r.Zones = w.network.Zones()
		r.Seed, r.Zone, r.Count = uint64(w.now.UnixNano()), z.Zone, min(z.Count, left)
		plan := placement.Decide(w.tx.FleetForOthers(a.Cluster()), r)
		var started []arn.Task
		for _, i := range plan.Placed {
			spec.Instance = w.tx.Instances.Get(i)
			started = append(started, w.put(spec))
		}
		left -= len(started)
		if len(started) > 0 {
			w.say(deployment.Event(a, deployment.ZoneStarted(z.Zone, started)))
		}
		if plan.Refused > 0 && n < len(b.Zones) {
			unplaced, full[z.Zone] = true, true
			w.sayOnce(deployment.TopicZone(z.Zone), deployment.ZoneWithoutRoom(z.Zone))
		}
	}
	if left < b.Most {
		w.change().Surge = b.Most - left
	}
	return unplaced
}

// zonesAppear wakes the services whose zones are balanced when a cluster has ACTIVE instances in another zone than before, or an instance
// other attributes, by which its zone may have become one that fulfils their constraints.
func (c *Services) zonesAppear(v *state.Snapshot, ch state.Change) {
	status := func(r ecs.Record) string {
		if r == nil {
			return ""
		}
		return r.(*ecs.Instance).Status
	}
	attributes := ch.Old != nil && ch.New != nil && !sameList(ch.Old.(*ecs.Instance).Attributes, ch.New.(*ecs.Instance).Attributes)
	if status(ch.Old) == status(ch.New) && !attributes {
		return
	}
	k := ch.Record().(*ecs.Instance).ContainerInstanceArn.Cluster()
	if c.newZones(v, k) || attributes {
		for s := range v.Services.Under(string(k.Service("")), "") {
			if s.Status == ecs.Active && s.AvailabilityZoneRebalancing == types.AvailabilityZoneRebalancingEnabled {
				c.loop.Add(s.ServiceArn)
			}
		}
	}
}

// newZones remembers the zones of a cluster, and reports whether there is one that it did not know.
func (c *Services) newZones(v *state.Snapshot, k arn.Cluster) (appeared bool) {
	now := map[string]bool{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for z := range v.Zones(k) {
		now[z] = true
		appeared = appeared || !c.zones[k][z]
	}
	c.zones[k] = now
	return appeared
}
