package berth

import (
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

// waitOnFargate says how many tasks of a service wait for capacity, and why.
func (e *ExplainOutput) waitOnFargate(v *state.Snapshot, s *ecs.Service) {
	for in, n := range v.Tasks.WaitingIn(s.ServiceArn) {
		e.say("%d tasks wait for capacity of Fargate in %s: %s", n, in[0], capacityIn(v.Pool(), in[0], in[1]))
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
