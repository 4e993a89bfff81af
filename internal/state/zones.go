package state

import (
	"iter"
	"strings"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// countZone keeps the number of tasks of a deployment that should run in each availability zone.
func (t *Tasks) countZone(old, new *ecs.Task) {
	was, is := inZone(old), inZone(new)
	if was && is && old.StartedBy == new.StartedBy && old.Service == new.Service && old.AvailabilityZone == new.AvailabilityZone {
		return
	}
	if was {
		t.zones.add(countsKey(old.Service, old.StartedBy)+"\x00"+old.AvailabilityZone, func(n int) int { return n - 1 })
	}
	if is {
		t.zones.add(countsKey(new.Service, new.StartedBy)+"\x00"+new.AvailabilityZone, func(n int) int { return n + 1 })
	}
}

func inZone(x *ecs.Task) bool { return x != nil && x.Service != "" && x.DesiredStatus != ecs.Stopped }

// Zones yields how many tasks of a deployment should run in each availability zone, where there are some.
func (t *Tasks) Zones(s arn.Service, deployment string) iter.Seq2[string, int] {
	return t.zones.under(countsKey(s, deployment) + "\x00")
}

// zoneInstance keeps the number of ACTIVE container instances of a cluster in each availability zone, external ones left out.
func (t *Tables) zoneInstance(old, new *ecs.Instance) {
	active := func(i *ecs.Instance) bool { return i != nil && i.Status == ecs.Active && !i.External() }
	key := func(i *ecs.Instance) string { return string(i.ContainerInstanceArn.Cluster()) + "\x00" + i.Zone() }
	if active(old) {
		t.zones.add(key(old), func(n int) int { return n - 1 })
	}
	if active(new) {
		t.zones.add(key(new), func(n int) int { return n + 1 })
	}
}

// Zones yields the availability zones in which a cluster has ACTIVE container instances, and how many: those that are not
// external, for what is outside of AWS is in no zone of it.
func (t *Tables) Zones(c arn.Cluster) iter.Seq2[string, int] {
	return t.zones.under(string(c) + "\x00")
}

// under yields the sums whose keys begin with prefix, without it.
func (t *tally[V]) under(prefix string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		t.sums.Ascend(prefix, func(k string, v V) bool {
			name, is := strings.CutPrefix(k, prefix)
			return is && yield(name, v)
		})
	}
}
