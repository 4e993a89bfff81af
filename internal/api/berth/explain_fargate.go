package berth

import (
	"cmp"
	"maps"
	"slices"

	"berth/internal/ecs"
	"berth/internal/state"
)

// onFargate says where a task on Fargate is. The members of the pool are the operator's alone (DescribePool).
func (e *ExplainOutput) onFargate(v *state.Snapshot, t *ecs.Task) {
	switch {
	case t.Over():
	case t.Waiting():
		e.say("it waits for capacity of Fargate in %s: %s", t.AvailabilityZone, capacityIn(v.Pool(), t.AvailabilityZone, t.CPUArchitecture))
	default:
		e.say("it is on Fargate, in %s", t.AvailabilityZone)
	}
}

// waitOnFargate says how many tasks of a deployment wait for capacity, and why.
func (e *ExplainOutput) waitOnFargate(v *state.Snapshot, s *ecs.Service, d *ecs.Deployment) {
	type place struct{ zone, architecture string }
	waiting := map[place]int{}
	for t := range v.Tasks.Wanted(s.ServiceArn, d.ID) {
		if t.LastStatus.After(ecs.Activating) {
			break // what does not run yet comes first
		}
		if t.Waiting() {
			waiting[place{t.AvailabilityZone, t.CPUArchitecture}]++
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(waiting), func(a, b place) int { return cmp.Compare(a.zone+a.architecture, b.zone+b.architecture) }) {
		e.say("%d tasks wait for capacity of Fargate in %s: %s", waiting[p], p.zone, capacityIn(v.Pool(), p.zone, p.architecture))
	}
}

// capacityIn is how it stands with capacity of an architecture in a zone.
func capacityIn(p *ecs.Pool, zone, architecture string) string {
	z := p.In(zone, architecture)
	switch {
	case p == nil || !p.Grows:
		return "nothing launches members of the pool; make machines join it (docs/fargate-pool.md)"
	case z == nil:
		return "no members of architecture " + architecture + " are launched there"
	case z.Unavailable && z.Reason != "":
		return "there is none now: " + z.Reason
	case z.Unavailable:
		return "there is none now: the pool is as large as it may be"
	}
	return "members are being launched"
}
