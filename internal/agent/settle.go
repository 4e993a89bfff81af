package agent

import (
	"fmt"
	"time"

	"berth/internal/acsproto"
)

// neverStarted is the exit code that ECS makes up for a container whose dependency cannot be met any more.
const neverStarted = 143

// Settle draws every conclusion that needs no engine: a container whose dependency can never be met stops, an essential container that
// stopped stops the task, and what has not started does not start any more when the task stops. It says whether it changed r.
func Settle(r *Record, now time.Time) (changed bool) {
	for again := true; again; {
		again = false
		for i := range r.Containers {
			if settleContainer(r, &r.Containers[i], now) {
				again, changed = true, true
			}
		}
		if settleTask(r, now) {
			again, changed = true, true
		}
	}
	return changed
}

func settleContainer(r *Record, c *Container, now time.Time) bool {
	if c.Busy || c.Unseen || c.Phase >= Up || c.Doomed {
		return false
	}
	if r.stopping() && c.pendingRestart() {
		c.end(c.FinishedAt, c.ExitCode, "")
		return true
	}
	if r.stopping() {
		c.end(now, nil, "")
		return true
	}
	if c.Phase > Pulled {
		return false
	}
	for _, d := range dependencies(r.ordered(c.Name)) {
		if why := unmet(r, d, now); why != "" {
			code := neverStarted
			c.end(now, &code, "CannotStartContainerError: "+why)
			return true
		}
	}
	return false
}

func settleTask(r *Record, now time.Time) (changed bool) {
	all, own, essential := true, true, false // all have ended, all but hidden ones have, an essential one has
	for _, c := range r.Containers {
		ended := c.Phase == Ended
		all = all && ended
		own = own && (ended || hidden(c.Name))
		essential = essential || ended && r.ordered(c.Name).Essential
	}
	if r.ExecutionStoppedAt.IsZero() && (essential || own) {
		r.ExecutionStoppedAt, changed = now, true
	}
	if all && r.StoppedAt.IsZero() {
		r.StoppedAt, changed = now, true
	}
	return changed
}

// dependencies are a container's gates: those ordered, and those that links and volumes of other containers imply.
func dependencies(c acsproto.Container) []acsproto.DependsOn {
	all := append([]acsproto.DependsOn(nil), c.DependsOn...)
	for _, l := range c.Links {
		all = append(all, acsproto.DependsOn{ContainerName: linked(l), Condition: "START"})
	}
	for _, v := range c.VolumesFrom {
		all = append(all, acsproto.DependsOn{ContainerName: v.SourceContainer, Condition: "START"})
	}
	return all
}

// met says whether a gate is open.
func met(r *Record, d acsproto.DependsOn) bool {
	c := r.container(d.ContainerName)
	if c == nil {
		return false
	}
	switch d.Condition {
	case "START":
		return c.begun() && !c.StartedAt.IsZero()
	case "HEALTHY":
		return c.Phase == Up && c.Health == "HEALTHY"
	case "COMPLETE":
		return c.Phase == Ended && c.ExitCode != nil && !c.StartedAt.IsZero()
	case "SUCCESS":
		return c.Phase == Ended && c.ExitCode != nil && *c.ExitCode == 0
	}
	return false
}

// unmet says why a gate will never open, or "".
func unmet(r *Record, d acsproto.DependsOn, now time.Time) string {
	c := r.container(d.ContainerName)
	switch {
	case met(r, d):
		return ""
	case c == nil:
		return fmt.Sprintf("the task has no container %s", d.ContainerName)
	case c.Phase == Ended:
		return fmt.Sprintf("dependency %s stopped before it was %s", d.ContainerName, d.Condition)
	}
	if limit, ok := gateLimit(r, d); ok && !now.Before(limit) {
		return fmt.Sprintf("dependency %s was not %s within its start timeout of %d seconds", d.ContainerName, d.Condition,
			r.ordered(d.ContainerName).StartTimeout)
	}
	return ""
}

// gateLimit is until when a gate may stay closed: the dependency's start timeout, counted from its start.
func gateLimit(r *Record, d acsproto.DependsOn) (time.Time, bool) {
	c, o := r.container(d.ContainerName), r.ordered(d.ContainerName)
	if c == nil || o.StartTimeout == 0 || d.Condition == "START" || c.StartedAt.IsZero() {
		return time.Time{}, false
	}
	return c.StartedAt.Add(time.Duration(o.StartTimeout) * time.Second), true
}
