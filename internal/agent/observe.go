package agent

import "time"

// oomWindow is how long before its end a container must have been told out of memory, for that to be what it died of.
const oomWindow = 5 * time.Second

// sigkill is the exit code of a process that SIGKILL ended.
const sigkill = 137

// OutOfMemory's reason in ECS's words.
const outOfMemoryReason = "OutOfMemoryError: Container killed due to memory usage"

// observe takes in what the engine has of a container. nil: it has none.
func (r *Record) observe(c *Container, o *Observed, hostAddress string, now time.Time) {
	c.Unseen = false
	r.recognize(c, o)
	switch {
	case c.Phase == Ended:
	case o == nil && c.Phase <= Starting: // never created: its id was never written down
	case o == nil:
		c.end(now, nil, vanishedReason)
	case o.State == Created:
		c.made(o.ID)
	case o.State == Running:
		c.made(o.ID)
		c.up(o.StartedAt)
		c.Bindings = o.Bindings
		c.healthIs(o.Health, now)
	case c.repeated(o): // its start is still to come
	case r.restarts(c, o):
		c.made(o.ID)
		c.up(o.StartedAt)
		c.again(o, now)
	default:
		c.made(o.ID)
		c.up(o.StartedAt)
		if o.OOMKilled {
			c.OOMAt = o.FinishedAt
		}
		c.died(o.ExitCode, o.FinishedAt)
	}
}

func (c *Container) made(id string) {
	c.ID = id
	if c.Phase < Made {
		c.Phase = Made
	}
}

func (c *Container) up(at time.Time) {
	if c.Phase < Up {
		c.Phase = Up
	}
	if c.StartedAt.IsZero() {
		c.StartedAt = at
	}
}

// idle ends a container's step. A death that the engine told of meanwhile counts if the step found the container running.
func (r *Record) idle(c *Container) {
	if e := c.diedEarly; e != nil && c.Phase == Up && c.ID == e.ID {
		if r.restartable(c) {
			c.Unseen = true
		} else {
			c.died(e.ExitCode, e.At)
		}
	}
	c.Busy, c.diedEarly = false, nil
	c.Revived = c.Revived && c.Phase == Ended
}

// died ends a container that ran. Out of memory is the reason of one that a SIGKILL ended which the agent did not cause, when memory ran
// out: in a task with a limit the engine tells it of every container.
func (c *Container) died(exit int, at time.Time) {
	if c.Phase == Ended {
		return
	}
	reason := ""
	if exit == sigkill && !c.StopSent && !c.OOMAt.IsZero() && at.Sub(c.OOMAt) < oomWindow {
		reason = outOfMemoryReason
	}
	if c.StartedAt.IsZero() {
		c.StartedAt = at
	}
	c.end(at, &exit, reason)
}

// healthIs takes in a container's health; it says whether that is news.
func (c *Container) healthIs(health string, now time.Time) bool {
	if health == "" || c.Health == health {
		return false
	}
	c.Health, c.HealthSince, c.Probe = health, now, nil
	return true
}

// happened takes in an event; it says whether that is news. An event of another container under the same name is not.
func (r *Record) happened(c *Container, e Event) bool {
	switch e.Kind {
	case Started:
		if c.revived(e.ID) {
			return true
		}
	case Died:
		c.Revived = c.Revived && c.ID != e.ID
	}
	if c.Busy && c.Phase < Up { // a step is under way that may find it running, or fail: the engine tells of a death either way
		if e.Kind == Died {
			c.diedEarly = &e
		} else if e.Kind == OutOfMemory {
			c.OOMAt = e.At
		}
		return false
	}
	if c.ID != e.ID || c.Phase < Made {
		return false
	}
	switch e.Kind {
	case Started:
		if c.Phase >= Up {
			return false
		}
		c.up(e.At)
	case Died:
		if c.Phase == Ended {
			return false
		}
		if r.restartable(c) {
			c.Unseen = true
			return true
		}
		c.died(e.ExitCode, e.At)
	case OutOfMemory:
		c.OOMAt = e.At
	case HealthChanged:
		return c.Phase == Up && c.healthIs(e.Health, e.At)
	case Destroyed:
		if c.Phase == Ended {
			return false
		}
		c.end(e.At, nil, vanishedReason)
	}
	return true
}
