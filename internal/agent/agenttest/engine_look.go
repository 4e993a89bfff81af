package agenttest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"berth/internal/agent"
)

// SetPace makes every operation take at least so long, from now on.
func (e *Engine) SetPace(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pace = d
}

// Running returns the labels of the running containers by name.
func (e *Engine) Running() map[string]map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]map[string]string{}
	for _, c := range e.containers {
		if c.State == agent.Running {
			out[c.Name] = c.Labels
		}
	}
	return out
}

// Variable is what a container's environment says, "" for nothing. Of several it is the last, as the process of a real one has it.
func (e *Engine) Variable(handle, name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.find(handle)
	if c == nil {
		return ""
	}
	last := ""
	for _, one := range c.env {
		if value, ok := strings.CutPrefix(one, name+"="); ok {
			last = value
		}
	}
	return last
}

// PID is the process of a running container, 0 of any other.
func (e *Engine) PID(handle string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(handle); c != nil {
		return c.PID
	}
	return 0
}

// VolumeList returns the named volumes, by name.
func (e *Engine) VolumeList() []agent.Volume {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.SortedFunc(maps.Values(e.volumes), func(a, b agent.Volume) int { return strings.Compare(a.Name, b.Name) })
}

// Spoil makes a container's next start fail.
func (e *Engine) Spoil(handle string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(handle); c != nil {
		c.image.StartError = err
	}
}

// Revive starts a container that has exited, behind the agent's back: also while the engine is down for others.
func (e *Engine) Revive(handle string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.start(handle) //nolint:errcheck // a test that revives what cannot start sees that it does not run
}

// Restart kills a container and starts it again, behind the agent's back. Both are told at once.
func (e *Engine) Restart(handle string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(handle); c != nil && c.State == agent.Running {
		e.over(c, 137)
		e.start(handle) //nolint:errcheck // as above
	}
}

// Done returns how often each operation has done its work so far: "create NAME", "start NAME".
func (e *Engine) Done() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.done)
}

// Stops returns the labels of the running containers that were asked to stop, in order.
func (e *Engine) Stops() []map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.stops)
}
