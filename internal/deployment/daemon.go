package deployment

import (
	"slices"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Daemon is what a service of scheduling strategy DAEMON finds on its cluster's container instances.
type Daemon struct {
	// Eligible is how many ACTIVE instances fulfil the placement constraints: the service's desired count.
	Eligible int
	// Lacking are those of them that have no task of the service at all, also none that is stopping, and room for one.
	Lacking []arn.Instance
	// Misplaced are tasks that should run, but on instances that are not eligible any more. Those on a draining instance are not among them
	// before everything else on it has stopped: daemons go last.
	Misplaced []*ecs.Task
	// Violating are those of Misplaced on instances that are ACTIVE, but do not fulfil the placement constraints.
	Violating []*ecs.Task
}

// serveDaemon brings an ACTIVE service of strategy DAEMON nearer to one task on each eligible instance. There is never more than one on an
// instance, so an update stops the old task first: as many at once as minimumHealthyPercent lets go.
func (d *decision) serveDaemon() {
	p := d.service.Primary()
	if p == nil {
		return
	}
	if n := d.Daemon.Eligible; d.service.DesiredCount != n || p.DesiredCount != n {
		d.service.DesiredCount, p.DesiredCount, p.UpdatedAt = n, n, d.now
		d.changed = true
	}
	d.count()
	if d.breaker(); d.service.Primary().ID != p.ID {
		d.plan.More = true // d.Daemon is what the definition that failed has found
		return
	}
	reason := reasonScaling(p.ID)
	primary, all := d.Counts(p.ID), d.Counts(p.ID)
	for _, old := range d.service.Deployments[1:] {
		all = all.Plus(d.Counts(old.ID))
	}
	spare := all.WantHealthy - bounds(d.service).min
	for _, t := range d.Daemon.Misplaced { // they count for no instance that there is to serve
		if t.Healthy() {
			spare--
		}
	}
	spare = max(0, spare)
	for _, t := range d.Daemon.Misplaced {
		if !d.stopOne(t, reason) {
			break
		}
	}
	d.sayViolated()
	if need := len(d.Daemon.Lacking); need > 0 {
		d.plan.Start, _ = d.start(p, need, primary, max(d.budget-d.budget/2, d.budget-d.retirable(spare)))
		d.plan.On = d.Daemon.Lacking[:d.plan.Start]
	}
	misplaced := func(t *ecs.Task) bool { return holds(d.Daemon.Misplaced, t) }
	for i := range d.service.Deployments[1:] {
		old := &d.service.Deployments[i+1]
		c := d.Counts(old.ID)
		weak := c.WantPending + c.WantRunning - c.WantHealthy
		spare = d.stop(old.ID, weak+min(spare, c.WantHealthy), spare, reason, misplaced)
	}
	if primary.WantUnhealthy > 0 {
		d.stopUnhealthy(p.ID, primary.WantUnhealthy)
	}
	d.sayStopped()
	d.sayProtected()
	d.sayBlocked(all.WantPending+all.WantRunning-primary.WantPending-primary.WantRunning, 0, all)
	d.settle()
}

// Violated begins the text for daemon tasks that stop because of the placement constraints.
const Violated = "has tasks that no longer meet its placement constraints: "

// sayViolated tells of the tasks that the plan stops because their instances do not fulfil the placement constraints.
func (d *decision) sayViolated() {
	var tasks []arn.Task
	for _, stop := range d.plan.Stop {
		if slices.ContainsFunc(d.Daemon.Violating, func(t *ecs.Task) bool { return t.TaskArn == stop.Task }) {
			tasks = append(tasks, stop.Task)
		}
	}
	if len(tasks) > 0 {
		d.say("", Violated+taskList(tasks)+".")
	}
}
