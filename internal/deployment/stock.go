package deployment

import (
	"berth/internal/arn"
	"berth/internal/ecs"
)

// stock is what a deployment has of the tasks that it wants.
type stock struct {
	ecs.Counts
	deployment     string
	want           int
	leaving        []*ecs.Task // on draining instances, to be replaced
	leavingHealthy int
	usable         int // neither unhealthy nor leaving
}

func (d *decision) stock(deployment string, want int) stock {
	x := stock{Counts: d.Counts(deployment), deployment: deployment, want: want}
	x.leaving, x.leavingHealthy = d.leaving(deployment)
	x.usable = x.WantPending + x.WantRunning - x.WantUnhealthy - len(x.leaving)
	return x
}

// trim stops what a deployment is not to keep, with at most spare healthy tasks among that: sick tasks once replacements are there, or where it is
// crowded and these cannot start first; tasks on draining instances; and what is too many.
func (d *decision) trim(x stock, spare int, crowded bool) {
	if x.WantUnhealthy > 0 && (x.WantHealthy-x.leavingHealthy >= x.want || crowded || x.usable >= x.want && x.WantPending == 0) {
		d.stopUnhealthy(x.deployment, x.WantUnhealthy)
	}
	spare = d.stopLeaving(x.leaving, spare, reasonScaling(x.deployment))
	d.stopExcess(x, spare)
}

// stopExcess stops the tasks of a deployment that it does not want any more, but for those that are to be replaced anyhow: first what does not
// work, then as the service's placement strategies have it.
func (d *decision) stopExcess(x stock, spare int) {
	n := x.usable - x.want
	if n <= 0 {
		return
	}
	deployment, reason, stops := x.deployment, reasonScaling(x.deployment), map[arn.Task]bool{}
	skip := func(t *ecs.Task) bool {
		return t.HealthStatus == ecs.HealthUnhealthy || stops[t.TaskArn] || holds(x.leaving, t)
	}
	if d.ScaleIn != nil && n < x.WantPending+x.WantRunning { // where all stop, the order is of no interest
		before := len(d.plan.Stop)
		if weak := x.WantPending + x.WantRunning - x.WantHealthy - x.WantUnhealthy; weak > 0 {
			d.stop(deployment, min(n, weak), 0, reason, skip)
		}
		for t := range d.ScaleIn(deployment, n) {
			if len(d.plan.Stop)-before == n || spare == 0 || d.plan.More {
				break
			}
			if t.Healthy() && !skip(t) && !d.keeps(t) && d.stopOne(t, reason) {
				spare--
			}
		}
		for _, s := range d.plan.Stop[before:] {
			stops[s.Task] = true
		}
		n -= len(stops)
	}
	if n > 0 && !d.plan.More {
		d.stop(deployment, n, spare, reason, skip)
	}
}
