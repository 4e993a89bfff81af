package deployment

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// steadyAgain is how often a service that stays steady says so, as ECS does.
const steadyAgain = 6 * time.Hour

// decision is a plan in the making.
type decision struct {
	View
	now     time.Time
	plan    Plan
	service *ecs.Service // a copy, which becomes the plan's if it differs
	changed bool
	budget  int
	kept    []kept
}

// Decide returns what the service needs now.
func Decide(v View, now time.Time) Plan {
	d := &decision{View: v, now: now, service: v.Service.Clone(), budget: v.Budget}
	switch d.service.Status {
	case ecs.Draining:
		d.drain()
	case ecs.Active:
		switch {
		case d.Daemon != nil:
			d.serveDaemon()
		case d.service.IsExternal():
			d.serveTaskSets()
		default:
			d.roll()
		}
	}
	if d.changed {
		d.plan.Service = d.service
	}
	return d.plan
}

// roll brings an ACTIVE service nearer to its target status.
func (d *decision) roll() {
	p := d.service.Primary()
	if p == nil {
		return
	}
	if p.DesiredCount != d.service.DesiredCount {
		p.DesiredCount = d.service.DesiredCount
		p.UpdatedAt = d.now
		d.changed = true
	}
	d.count()
	d.breaker()
	if d.makeUp() {
		return
	}
	d.replace()
	d.settle()
	d.balance()
}

// drain stops every task, and ends the service when none is left.
func (d *decision) drain() {
	left := 0
	d.count()
	for i := range d.service.Deployments {
		dep := &d.service.Deployments[i]
		c := d.Counts(dep.ID)
		left += c.Tasks()
		d.stopAll(dep.ID, c.WantPending+c.WantRunning, reasonScaling(dep.ID))
	}
	d.sayStopped()
	if left > 0 || d.plan.More {
		return
	}
	now := d.now
	d.service.Status, d.service.Deployments, d.service.InactiveAt = ecs.Inactive, nil, &now
	d.changed = true
}

// limits are the bounds of a rolling deployment in tasks.
type limits struct{ min, max int }

// bounds rounds minimumHealthyPercent up and maximumPercent down, as ECS does.
func bounds(s *ecs.Service) limits {
	low, high := 100, 200
	if c := s.DeploymentConfiguration; c != nil {
		if c.MinimumHealthyPercent != nil {
			low = int(*c.MinimumHealthyPercent)
		}
		if c.MaximumPercent != nil {
			high = int(*c.MaximumPercent)
		}
	}
	return limits{min: (s.DesiredCount*low + 99) / 100, max: s.DesiredCount * high / 100}
}

// replace starts what the primary deployment lacks and stops what is not needed any more, within the bounds.
func (d *decision) replace() {
	p, l := d.service.Primary(), bounds(d.service)
	want := d.service.DesiredCount + d.service.Surge
	primary := d.stock(p.ID, want)
	all := primary.Counts
	for _, old := range d.service.Deployments[1:] {
		all = all.Plus(d.Counts(old.ID))
	}
	need := max(0, want-primary.usable)
	room := max(0, l.max-all.Pending-all.Running)
	spare := max(0, all.WantHealthy-l.min) // healthy tasks that may go without falling below the minimum
	budget := d.budget - min(d.budget/2, d.retirable(spare)+len(primary.leaving)+primary.WantUnhealthy)
	d.plan.Start, d.plan.Ahead = d.start(p, min(need, room), primary.Counts, budget)
	d.plan.Sick = min(d.plan.Start, primary.WantUnhealthy)

	reason := reasonScaling(p.ID)
	for i := range d.service.Deployments[1:] {
		old := &d.service.Deployments[i+1]
		spare = d.retire(old, spare, reason)
	}
	d.trim(primary, spare, room == 0)
	d.sayStopped()
	d.sayProtected()
	d.sayBlocked(need, room, all)
}

// retirable is how many tasks of old deployments may stop now.
func (d *decision) retirable(spare int) (n int) {
	for _, old := range d.service.Deployments[1:] {
		c := d.Counts(old.ID)
		healthy := min(spare, c.WantHealthy)
		n += c.WantPending + c.WantRunning - c.WantHealthy + healthy
		spare -= healthy
	}
	return n
}

// start returns how many of n tasks of a deployment start now, and how many more would if the budget were greater: none where it has failed
// or is throttled. It leaves room in the budget for what stops: starts that find no place until something has stopped must not keep it from
// stopping.
func (d *decision) start(p *ecs.Deployment, n int, c ecs.Counts, budget int) (started, ahead int) {
	if n <= 0 || p.RolloutState == types.DeploymentRolloutStateFailed {
		return 0, 0
	}
	if p.NextStartAt != nil && d.now.Before(*p.NextStartAt) {
		d.again(*p.NextStartAt)
		return 0, 0
	}
	if p.Failures > 2 && c.WantPending > 0 && c.WantHealthy == 0 {
		return 0, 0 // those that are on their way show whether it works now
	}
	if n > budget {
		ahead = n - budget
		n, d.plan.More = budget, true
	}
	d.budget -= n
	return n, ahead
}

// retire stops what it may of an old deployment: all that does not work, and healthy tasks as far as they can be spared.
func (d *decision) retire(old *ecs.Deployment, spare int, reason string) int {
	c := d.Counts(old.ID)
	weak := c.WantPending + c.WantRunning - c.WantHealthy
	return d.stop(old.ID, weak+min(spare, c.WantHealthy), spare, reason, nil)
}

// leaving lists a deployment's tasks on draining instances that may stop, and how many of them are healthy. Protected ones stay until their
// protection ends.
func (d *decision) leaving(deployment string) (out []*ecs.Task, healthy int) {
	if d.Leaving == nil {
		return nil, 0
	}
	for t := range d.Leaving {
		if t.StartedBy != deployment || t.HealthStatus == ecs.HealthUnhealthy || d.keeps(t) {
			continue
		}
		out = append(out, t)
		if t.Healthy() {
			healthy++
		}
	}
	return out, healthy
}

func holds(list []*ecs.Task, t *ecs.Task) bool {
	return slices.ContainsFunc(list, func(o *ecs.Task) bool { return o.TaskArn == t.TaskArn })
}

// stopLeaving stops tasks on draining instances: at once those that do not run yet, the others as far as they can be spared. It returns how
// many more can be.
func (d *decision) stopLeaving(leaving []*ecs.Task, spare int, reason string) int {
	for _, t := range leaving {
		if t.Healthy() {
			if spare == 0 {
				continue
			}
			spare--
		}
		if !d.stopOne(t, reason) {
			break
		}
	}
	return spare
}

// stop stops n tasks of a deployment in stop order, but for those that skip names, those that are protected, and more healthy ones than can
// be spared. It returns how many more can be.
func (d *decision) stop(deployment string, n, spare int, reason string, skip func(*ecs.Task) bool) int {
	protected := false
	for t := range d.Wanted(deployment) {
		if n <= 0 {
			return spare
		}
		if skip != nil && skip(t) {
			continue
		}
		if d.keeps(t) {
			protected = true
			if t.LastStatus == ecs.Running && t.HealthStatus != ecs.HealthUnhealthy {
				break // the rest is protected for longer
			}
			continue
		}
		if t.Healthy() {
			if spare == 0 {
				continue // what does not work is protected, and lies behind
			}
			spare--
		}
		if !d.stopOne(t, reason) {
			return spare
		}
		n--
	}
	if protected && n > 0 {
		d.kept = append(d.kept, kept{deployment, n})
	}
	return spare
}

// stopAll stops n tasks of a deployment in stop order, whoever protects them.
func (d *decision) stopAll(deployment string, n int, reason string) {
	if n <= 0 {
		return
	}
	for t := range d.Wanted(deployment) {
		if !d.stopOne(t, reason) {
			return
		}
		if n--; n == 0 {
			return
		}
	}
}

func (d *decision) stopUnhealthy(deployment string, n int) {
	for t := range d.Wanted(deployment) {
		if t.HealthStatus != ecs.HealthUnhealthy || t.LastStatus != ecs.Running {
			continue
		}
		d.say("", fmt.Sprintf("(task %s) failed container health checks.", t.TaskArn.ID()))
		if !d.stopOne(t, reasonUnhealthy) {
			return
		}
		if n--; n == 0 {
			return
		}
	}
}

func (d *decision) stopOne(t *ecs.Task, reason string) bool {
	if d.budget == 0 {
		d.plan.More = true
		return false
	}
	d.budget--
	d.plan.Stop = append(d.plan.Stop, Stop{t.TaskArn, reason, t.LastStatus != ecs.Running})
	return true
}

func (d *decision) again(at time.Time) {
	if d.plan.Again.IsZero() || at.Before(d.plan.Again) {
		d.plan.Again = at
	}
}
