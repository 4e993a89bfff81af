package deployment

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// serveTaskSets brings each task set of a service with the deployment controller EXTERNAL nearer to its scale. They know nothing of each
// other: their user says which are there, and how many tasks each has. The service's percentages do not bound them; on draining container
// instances tasks are replaced before they stop.
func (d *decision) serveTaskSets() {
	d.scaleTaskSets()
	d.count()
	busy := map[string]bool{} // has something to do, or has not yet what it wants
	for i := range d.service.Deployments {
		set := &d.service.Deployments[i]
		share := max(min(d.budget, 1), d.budget/(len(d.service.Deployments)-i)) // of starts that may find no place
		busy[set.ID] = d.serveTaskSet(set, share)
	}
	d.sayProtected()
	d.removeTaskSets()
	d.settleTaskSets(busy)
}

// scaleTaskSets computes how many tasks each task set wants.
func (d *decision) scaleTaskSets() {
	for i := range d.service.Deployments {
		set := &d.service.Deployments[i]
		want := d.service.Computed(set.TaskSet.Scale)
		if set.Status == ecs.Draining {
			want = 0
		}
		if want != set.DesiredCount {
			set.DesiredCount, set.UpdatedAt, d.changed = want, d.now, true
			d.say("", fmt.Sprintf("updated computedDesiredCount for taskSet %s to %d.", set.ID, want))
		}
	}
}

// serveTaskSet starts what a task set lacks and stops what it does not want any more, and reports whether it was not steady before.
func (d *decision) serveTaskSet(set *ecs.Deployment, budget int) (busy bool) {
	before := len(d.plan.Stop)
	defer func() {
		for _, text := range stopped(d.plan.Stop[before:]) {
			d.plan.Events = append(d.plan.Events, SetEvent(d.service.ServiceArn, set.ID, text))
		}
	}()
	if set.Status == ecs.Draining {
		c := d.Counts(set.ID)
		d.stopAll(set.ID, c.WantPending+c.WantRunning, reasonScaling(set.ID))
		return true
	}
	want := set.DesiredCount
	c := d.stock(set.ID, want)
	budget -= min(budget/2, max(0, c.usable-want)+len(c.leaving)+c.WantUnhealthy)
	if n, ahead := d.start(set, want-c.usable, c.Counts, budget); n > 0 {
		d.plan.Sets = append(d.plan.Sets, SetStart{set.ID, n, ahead, min(n, c.WantUnhealthy)})
	}
	d.trim(c, max(0, c.WantHealthy-want), false)
	return len(c.leaving) > 0 || c.WantHealthy != want || c.Running != want || c.Pending > 0 || c.Stopping > 0
}

// removeTaskSets removes the deleted task sets that have no tasks any more.
func (d *decision) removeTaskSets() {
	n := len(d.service.Deployments)
	d.service.Deployments = slices.DeleteFunc(d.service.Deployments, func(set ecs.Deployment) bool {
		return set.Status == ecs.Draining && d.Counts(set.ID).Tasks() == 0
	})
	d.changed = d.changed || len(d.service.Deployments) != n
}

// settleTaskSets notices which task sets are where they should be, and whether the service is, which has to have one for that.
func (d *decision) settleTaskSets(busy map[string]bool) {
	steady := len(d.service.Deployments) > 0 && !d.plan.More
	for i := range d.service.Deployments {
		set := &d.service.Deployments[i]
		steady = steady && !busy[set.ID]
		is := types.StabilityStatusSteadyState
		if busy[set.ID] {
			is = types.StabilityStatusStabilizing
		}
		if t := set.TaskSet; t.StabilityStatus != is {
			t.StabilityStatus, t.StabilityStatusAt, d.changed = is, d.now, true
			if is == types.StabilityStatusSteadyState {
				d.plan.Events = append(d.plan.Events, SetEvent(d.service.ServiceArn, set.ID, "updated state to STEADY_STATE."))
			}
		}
	}
	switch {
	case steady:
		d.saySteady()
	case d.service.SteadyAt != nil:
		d.service.SteadyAt, d.changed = nil, true
	}
}
