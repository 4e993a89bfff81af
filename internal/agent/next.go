package agent

import (
	"fmt"
	"time"
)

// Act is one thing to do with the engine.
type Act int

// The acts of a task.
const (
	Look    Act = iota // see what the engine has of a container
	Pull               // look for the image, and pull it where needed
	Create             // write down that it starts, and create it
	Start              // start what was created
	Halt               // stop what runs
	Restop             // stop what runs although it has ended
	Attach             // give the task its network interface
	Detach             // take it away
	CleanUp            // remove the task's containers, volumes and group, and forget it
)

func (a Act) String() string {
	return [...]string{"look at", "pull", "create", "start", "stop", "stop again", "attach the network interface of", "detach the network interface of", "clean up"}[a]
}

// Step is an act on a container, or on the whole task where Container is "".
type Step struct {
	Act       Act
	Container string
}

func (s Step) String() string { return fmt.Sprintf("%s %s", s.Act, s.Container) }

// Next returns what can be done now for a settled record, at most one step for each container that is not busy, and when time alone will
// change the answer (zero: never).
func Next(r *Record, cleanUpAfter time.Duration, now time.Time) (steps []Step, wake time.Time) {
	for i := range r.Containers {
		c := &r.Containers[i]
		if c.Busy {
			continue
		}
		if act, ok := nextAct(r, c); ok {
			steps = append(steps, Step{act, c.Name})
		}
	}
	if busy(r) || !r.Stopped() {
		return steps, gatesWake(r, now)
	}
	if r.Closed || r.Orphan {
		at := r.StoppedAt.Add(stay(r, cleanUpAfter))
		if !now.Before(at) {
			return append(steps, Step{Act: CleanUp}), time.Time{}
		}
		return steps, at
	}
	return steps, time.Time{}
}

func nextAct(r *Record, c *Container) (Act, bool) {
	if act, ok := nextOfNetwork(r, c); ok {
		return act, true
	}
	switch {
	case c.Phase == Ended:
		return Restop, c.Revived
	case c.Unseen:
		return Look, true
	case c.Doomed:
		return Halt, true
	case c.Phase == Up:
		return Halt, r.stopping() && !needed(r, c)
	case c.pendingRestart():
		return Start, !r.stopping() // all that its start needs is in the engine
	case r.stopping(), r.Adopted:
		return 0, false // Settle ends it; of an adopted task not enough is known
	case c.Phase == Starting:
		return Create, true
	case c.Phase == Made:
		return Start, hidden(c.Name) || r.onNetwork()
	}
	for _, d := range dependencies(r.ordered(c.Name)) {
		if !met(r, d) && !r.early(d) {
			return 0, false
		}
	}
	if c.Phase == Waiting {
		return Pull, true
	}
	return Create, true
}

// needed says whether a container that depends on c still runs: stopping goes in reverse order.
func needed(r *Record, c *Container) bool {
	for _, other := range r.Containers {
		if other.Phase == Ended || other.Name == c.Name || other.Phase < Made && !other.Busy {
			continue
		}
		for _, d := range dependencies(r.ordered(other.Name)) {
			if d.ContainerName == c.Name {
				return true
			}
		}
	}
	return false
}

// busy says whether a step of a container is under way, or must come before the task is cleaned up.
func busy(r *Record) bool {
	for _, c := range r.Containers {
		if c.Busy || c.Revived {
			return true
		}
	}
	return false
}

// gatesWake is when the first start timeout of a dependency is over.
func gatesWake(r *Record, now time.Time) (wake time.Time) {
	for i := range r.Containers {
		c := &r.Containers[i]
		if c.Phase > Pulled || r.stopping() {
			continue
		}
		for _, d := range dependencies(r.ordered(c.Name)) {
			at, ok := gateLimit(r, d)
			if ok && !met(r, d) && now.Before(at) && (wake.IsZero() || at.Before(wake)) {
				wake = at
			}
		}
	}
	return wake
}
