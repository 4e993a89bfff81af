package controller

import (
	"maps"
	"slices"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/placement"
	"berth/internal/state"
)

// A decision about a place reads every instance of the cluster once. So for a service that lacks many tasks one decision places more of them
// than one Update may write, and the next Updates take what is left, in the order of the instances: each instance then hears of several tasks
// at once. What was placed ahead is only a proposal: every place is checked again when it is taken, against the newest tables, and dropped
// when it is old or when the fleet has changed.

// ahead are places that one decision found for a service's next tasks.
type ahead struct {
	deployment string
	fleet      uint64 // of the cluster when it was decided
	until      time.Time
	places     []arn.Instance
}

// The bounds of a decision that looks ahead: tasks for each instance, tasks in all, and how long places are good.
const (
	aheadEach = 8
	aheadMost = 10_000
	aheadLife = 5 * time.Second
)

// place returns places for up to n tasks, checked one by one by use, which stores the task. It decides anew where nothing is left from the
// last decision, for more tasks than n where more are to come. plan is that of the last decision, nil if there was none.
func (c *Services) place(tx *state.Tx, a arn.Service, deployment string, r placement.Request, n, more int, now time.Time, use func(*ecs.Instance)) (plan *placement.Plan) {
	f, check := tx.FleetForOthers(a.Cluster()), placement.NewCheck(r)
	generation := c.generation(a.Cluster())
	h := c.ahead[a]
	if h != nil && (h.deployment != deployment || h.fleet != generation || now.After(h.until)) {
		h = nil
	}
	for n > 0 {
		if h == nil || len(h.places) == 0 {
			if plan != nil {
				break // the decision of this very closure has placed all that it could
			}
			r.Count = n
			if more > 0 {
				r.Count = max(n, min(n+more, aheadMost, aheadEach*tx.Cluster(a.Cluster()).Instances))
			}
			maps.DeleteFunc(c.ahead, func(_ arn.Service, h *ahead) bool { return now.After(h.until) }) // also those of services that are gone
			p := placement.Decide(f, r)
			plan = &p
			if r.Count > n {
				slices.Sort(p.Placed)
			}
			h = &ahead{deployment, generation, now.Add(aheadLife), p.Placed}
			continue
		}
		i := h.places[0]
		h.places = h.places[1:]
		x := tx.Instances.Get(i)
		if x == nil || check(f, x).Reason != placement.None {
			h = nil // somebody else has taken it
			continue
		}
		use(x)
		n--
	}
	if h == nil || len(h.places) == 0 {
		delete(c.ahead, a)
	} else {
		c.ahead[a] = h
	}
	return plan
}

// generation counts the changes of a cluster's fleet.
func (c *Services) generation(k arn.Cluster) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fleets[k]
}

// fleetChanged makes places that were decided before worthless.
func (c *Services) fleetChanged(ch state.Change) {
	if ch.Old != nil && ch.New != nil {
		a, b := ch.Old.(*ecs.Instance), ch.New.(*ecs.Instance)
		if a.Status == b.Status && a.Connected == b.Connected && sameList(a.Attributes, b.Attributes) {
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fleets[ch.Record().(*ecs.Instance).ContainerInstanceArn.Cluster()]++
}

// sameList reports whether two lists are one: a copy of a record shares it until somebody changes it.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
