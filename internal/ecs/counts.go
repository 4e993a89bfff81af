package ecs

// Counts are the sums of the tasks of a service's deployment that have not stopped.
type Counts struct {
	Pending, Running int // by last status, whatever is desired: what clients see
	WantPending      int // desired RUNNING, not there yet
	WantRunning      int // desired and last status RUNNING
	WantHealthy      int // of these, healthy
	WantUnhealthy    int // of these, UNHEALTHY
	Stopping         int // desired STOPPED, not there yet
}

// Count returns c with task t counted n times, n being 1 or -1. Stopped tasks do not count.
func (c Counts) Count(t *Task, n int) Counts {
	running := t.LastStatus == Running
	switch {
	case t.Over():
		return c
	case running:
		c.Running += n
	case !t.LastStatus.After(Running):
		c.Pending += n
	}
	switch {
	case t.DesiredStatus == Stopped:
		c.Stopping += n
	case !running:
		c.WantPending += n
	default:
		c.WantRunning += n
		if t.Healthy() {
			c.WantHealthy += n
		} else if t.HealthStatus == HealthUnhealthy {
			c.WantUnhealthy += n
		}
	}
	return c
}

// Plus adds two sums.
func (c Counts) Plus(o Counts) Counts {
	return Counts{
		c.Pending + o.Pending, c.Running + o.Running, c.WantPending + o.WantPending, c.WantRunning + o.WantRunning,
		c.WantHealthy + o.WantHealthy, c.WantUnhealthy + o.WantUnhealthy, c.Stopping + o.Stopping,
	}
}

// Tasks is how many of them there are.
func (c Counts) Tasks() int { return c.WantPending + c.WantRunning + c.Stopping }
