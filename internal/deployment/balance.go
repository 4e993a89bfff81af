package deployment

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Zones are what a decision about the balance of availability zones looks at.
type Zones struct {
	// Tasks yields how many tasks of a deployment should run in each zone, where there are some.
	Tasks func(deployment string) iter.Seq2[string, int]
	// Cluster yields the zones in which the cluster has ACTIVE container instances.
	Cluster iter.Seq2[string, int]
	// Usable lists those of them where an instance fulfils the placement constraints, with room for a task or not. It looks at all instances,
	// so it is asked only where the cluster's zones are out of balance.
	Usable func() []string
}

// Balance are tasks to start beyond the desired count, so that as many can stop in other availability zones.
type Balance struct {
	Most  int         // tasks in all
	Zones []ZoneCount // where, the emptiest zone first: what finds no place in one may go to the next
	Rest  []ZoneCount // where else what finds no place there may go
}

// ZoneCount is a number of tasks in one availability zone.
type ZoneCount struct {
	Zone  string
	Count int
}

// The topic of what is said while a balance is being restored.
const topicBalance = "balance"

// TopicZone is the topic of what is said of a zone without room, until the zones are balanced.
func TopicZone(zone string) string { return topicBalance + " " + zone }

// ZoneStarted is the text for tasks that were started to restore the balance.
func ZoneStarted(zone string, tasks []arn.Task) string {
	return fmt.Sprintf("has started %d tasks in %s to AZ Rebalance: %s.", len(tasks), zone, taskList(tasks))
}

// ZoneWithoutRoom is the text for tasks that found no place in their zone.
func ZoneWithoutRoom(zone string) string {
	return fmt.Sprintf("is unable to place a task in %s because no container instance met all of its requirements.", zone)
}

func taskList(tasks []arn.Task) string {
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = "(task " + t.ID() + ")"
	}
	return strings.Join(ids, " ")
}

// balances reports whether the service's zones are to be balanced now: it asks for that, and no deployment is going on.
func (d *decision) balances() bool {
	s := d.service
	return d.Zones != nil && s.AvailabilityZoneRebalancing == types.AvailabilityZoneRebalancingEnabled && len(s.Deployments) == 1 &&
		s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted
}

// makeUp stops as many tasks in the fullest zones as were started beyond the desired count, once all are healthy, and reports whether it did.
// When something has come between (a deployment, an end of a task), the surplus is none of its business any more, and the decision goes on as
// with any other.
func (d *decision) makeUp() bool {
	s := d.service
	if s.Surge == 0 {
		return false
	}
	c := d.Counts(s.Primary().ID)
	whole := s.DesiredCount + s.Surge
	switch {
	case !d.balances(), c.WantUnhealthy > 0, c.WantPending+c.WantRunning != whole:
		s.Surge, d.changed = 0, true
		return false
	case c.WantHealthy < whole:
		return false // those that were started are on their way
	}
	n := s.Surge
	for _, zone := range d.fullest(n) {
		n -= d.stopIn(zone)
	}
	if n < s.Surge || d.plan.More {
		s.Surge, d.changed = n, d.changed || n < s.Surge
		return true
	}
	s.Surge, d.changed = 0, true // all that could stop is protected by now
	return false
}

// fullest says where n tasks should stop, one after another in the zone that then has the most.
func (d *decision) fullest(n int) []ZoneCount {
	counts := d.zoneCounts(nil)
	var out []ZoneCount
	for range n {
		z := slices.IndexFunc(counts, func(z ZoneCount) bool { return z.Count == maxCount(counts) })
		counts[z].Count--
		if i := slices.IndexFunc(out, func(o ZoneCount) bool { return o.Zone == counts[z].Zone }); i >= 0 {
			out[i].Count++
		} else {
			out = append(out, ZoneCount{counts[z].Zone, 1})
		}
	}
	return out
}

func maxCount(zones []ZoneCount) int {
	return slices.MaxFunc(zones, func(a, b ZoneCount) int { return cmp.Compare(a.Count, b.Count) }).Count
}

// stopIn stops tasks of the primary deployment in a zone, and returns how many.
func (d *decision) stopIn(z ZoneCount) int {
	p := d.service.Primary()
	var stopped []arn.Task
	for t := range d.Wanted(p.ID) {
		if len(stopped) == z.Count {
			break
		}
		if t.AvailabilityZone != z.Zone || d.keeps(t) {
			continue
		}
		if !d.stopOne(t, reasonScaling(p.ID)) {
			break
		}
		stopped = append(stopped, t.TaskArn)
	}
	if len(stopped) > 0 {
		d.say("", fmt.Sprintf("has stopped %d running tasks in %s due to AZ rebalancing: %s.", len(stopped), z.Zone, taskList(stopped)))
	}
	return len(stopped)
}

// zoneCounts are the numbers of the primary's tasks by zone, the fullest first; in the given zones, or wherever it has some.
func (d *decision) zoneCounts(zones []string) []ZoneCount {
	counts := map[string]int{}
	for _, z := range zones {
		counts[z] = 0
	}
	for z, n := range d.Zones.Tasks(d.service.Primary().ID) {
		if _, is := counts[z]; is || zones == nil {
			counts[z] = n
		}
	}
	var out []ZoneCount
	for z, n := range counts {
		out = append(out, ZoneCount{z, n})
	}
	slices.SortFunc(out, func(a, b ZoneCount) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Zone, b.Zone)) })
	return out
}

// uneven reports whether zones, the fullest first, differ by more than one task.
func uneven(zones []ZoneCount) bool {
	return len(zones) > 1 && zones[0].Count-zones[len(zones)-1].Count > 1
}

// balance looks at the zones of a service that is steady, and starts tasks where there are too few.
func (d *decision) balance() {
	if !d.balances() || d.service.Surge > 0 || !d.steady() || d.anyLeaving() {
		return
	}
	var zones []string
	for z := range d.Zones.Cluster {
		zones = append(zones, z)
	}
	counts := d.zoneCounts(zones)
	if uneven(counts) {
		counts = d.zoneCounts(d.Zones.Usable())
	}
	if !uneven(counts) {
		if Unsay(d.service, topicBalance) {
			d.service.Said = slices.DeleteFunc(d.service.Said, func(x ecs.Said) bool { return strings.HasPrefix(x.Topic, TopicZone("")) })
			d.changed = true
			d.say("", "is AZ balanced with "+sayZones(counts)+".")
		}
		return
	}
	d.say(topicBalance, "is not AZ balanced with "+sayZones(counts)+". AZ Rebalancing in progress.")
	if p := d.service.Primary(); p.NextStartAt != nil && d.now.Before(*p.NextStartAt) {
		d.again(*p.NextStartAt)
		return
	}
	n, protected := d.movable(counts)
	d.sayImmovable(n, protected)
	if n = min(n, bounds(d.service).max-d.service.DesiredCount, d.budget); n > 0 {
		d.plan.Balance = &Balance{Most: n}
		d.plan.Balance.Zones, d.plan.Balance.Rest = deficits(counts)
	}
}

func (d *decision) anyLeaving() bool {
	if d.Leaving != nil {
		for range d.Leaving {
			return true
		}
	}
	return false
}

// sayZones reads like "3 tasks in us-east-1a, 1 tasks in us-east-1b".
func sayZones(zones []ZoneCount) string {
	parts := make([]string, len(zones))
	for i, z := range zones {
		parts[i] = fmt.Sprintf("%d tasks in %s", z.Count, z.Zone)
	}
	return strings.Join(parts, ", ")
}

// share is how many tasks the i-th fullest of the zones has in the end: all the same number, the first ones one more where it does not
// divide. So as few tasks as can be are moved.
func share(zones []ZoneCount, i int) int {
	sum := 0
	for _, z := range zones {
		sum += z.Count
	}
	n := sum / len(zones)
	if i < sum%len(zones) {
		n++
	}
	return n
}

// topicImmovable is the topic of protected tasks that keep the zones out of balance; it goes with the others when they are balanced.
const topicImmovable = topicBalance + " protection"

// Immovable begins the text for a balance that protected tasks keep from being restored.
const Immovable = "was unable to AZ Rebalance because "

// sayImmovable tells that tasks that would have to stop are protected, where no other can, and forgets it where some can.
func (d *decision) sayImmovable(movable, protected int) {
	switch {
	case movable > 0:
		d.changed = Unsay(d.service, topicImmovable) || d.changed
	case protected > 0:
		d.say(topicImmovable, fmt.Sprintf(Immovable+"(taskSet %s) was unable to scale in due to (reason %d tasks under protection)",
			d.service.Primary().ID, protected))
	}
}

// movable is how many tasks in the zones with too many may stop: those that nobody protects; and for how many of
// the others that is because they are protected.
func (d *decision) movable(zones []ZoneCount) (n, protected int) {
	over := map[string]int{}
	left := 0
	for i, z := range zones {
		if more := z.Count - share(zones, i); more > 0 {
			over[z.Zone] = more
			left += more
		}
	}
	for t := range d.Wanted(d.service.Primary().ID) {
		if left == 0 {
			break
		}
		switch {
		case over[t.AvailabilityZone] == 0:
		case d.keeps(t):
			protected++
		default:
			over[t.AvailabilityZone]--
			left--
			n++
		}
	}
	return n, min(protected, left)
}

// deficits are the zones that lack tasks, and how many, the emptiest first; which of them have one more in the end, room decides. Where they
// have no room, others (rest) that are emptier than the fullest take some. None comes to have as many as the fullest has now: that would move a
// task to where it is no better.
func deficits(zones []ZoneCount) (out, rest []ZoneCount) {
	most := zones[0].Count
	for _, z := range slices.Backward(zones) {
		lack := max(0, min(share(zones, 0), most-1)-z.Count)
		if lack > 0 {
			out = append(out, ZoneCount{z.Zone, lack})
		}
		if more := min((most-z.Count)/2, most-1-z.Count) - lack; more > 0 {
			rest = append(rest, ZoneCount{z.Zone, more})
		}
	}
	return out, rest
}
