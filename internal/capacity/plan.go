package capacity

import (
	"fmt"
	"strings"
	"time"
)

// Plan is what to do now. Applying it and deciding again launches and terminates nothing more unless something changed.
type Plan struct {
	Launch    []Launch
	Terminate []string // ids of members
	// Reclaim is what Spot tasks must give back, because tasks of the same zone and architecture that are not Spot have no room
	// and the pool cannot grow.
	Reclaim []Reclaim
	// Later is how many tasks wait for a launch that is not made now because others are under way, or because members must leave first.
	Later       int
	Unavailable []Unavailable
	Launches    []Launches // the records that change; one without failures can go
	Again       time.Time  // decide again then at the latest; zero: only when something changes
}

// Launch is a number of equal members to ask the instance provider for.
type Launch struct {
	Zone, Architecture string
	Size               Size
	Count              int
}

// Reclaim is how much room Spot tasks of a member must give back, at least.
type Reclaim struct {
	Member string
	Size   Size
}

// Unavailable are tasks that have no place and for which none can be made. Count is how many of the need they are.
type Unavailable struct {
	Need
	Reason Reason
	Detail string // of Failing: what the instance provider said
}

// Reason is why the pool cannot grow for a task.
type Reason int

// The reasons why the pool cannot grow.
const (
	NoZone         Reason = iota + 1 // no member can be launched in the zone
	NoArchitecture                   // no member can be launched with the architecture
	Failing                          // the last launches failed, and the pause after that lasts
	AtBound                          // it would have more members, or more room in all, than it may
)

func (r Reason) String() string {
	switch r {
	case NoZone:
		return "no member can be launched in this zone"
	case NoArchitecture:
		return "no member can be launched with this architecture"
	case Failing:
		return "launches fail"
	case AtBound:
		return "the pool must not grow further"
	}
	return "none"
}

// Empty reports whether the plan changes nothing and tells of nobody who cannot be served.
func (p Plan) Empty() bool {
	return len(p.Launch) == 0 && len(p.Terminate) == 0 && len(p.Reclaim) == 0 && len(p.Unavailable) == 0 && len(p.Launches) == 0
}

// String has a line for each thing to do: "launch 3 of 4096/8192 X86_64 in a", "terminate m-1".
func (p Plan) String() string {
	var lines []string
	say := func(format string, a ...any) { lines = append(lines, fmt.Sprintf(format, a...)) }
	for _, l := range p.Launches {
		say("%s", l)
	}
	for _, l := range p.Launch {
		say("launch %d of %s %s in %s", l.Count, l.Size, l.Architecture, l.Zone)
	}
	for _, id := range p.Terminate {
		say("terminate %s", id)
	}
	for _, r := range p.Reclaim {
		say("reclaim %s of %s", r.Size, r.Member)
	}
	if p.Later > 0 {
		say("later %d", p.Later)
	}
	for _, u := range p.Unavailable {
		say("%s", u)
	}
	if !p.Again.IsZero() {
		say("again at %s", p.Again.UTC().Format(time.TimeOnly))
	}
	if len(lines) == 0 {
		return "nothing"
	}
	return strings.Join(lines, "\n")
}

func (u Unavailable) String() string {
	kind, why := "", u.Reason.String()
	if u.Spot {
		kind = " Spot"
	}
	if u.Detail != "" {
		why += ": " + u.Detail
	}
	return fmt.Sprintf("unavailable %d%s of %s %s in %s: %s", u.Count, kind, u.Size, u.Architecture, u.Zone, why)
}
