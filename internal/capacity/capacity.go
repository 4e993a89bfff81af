// Package capacity decides how the hidden pool of Fargate mode grows and shrinks: which members are launched for the tasks that wait, which are
// terminated, how much Spot tasks must give back, and which tasks cannot be served, with the reason. It is pure: a View in, a Plan out.
package capacity

import (
	"fmt"
	"time"
)

// Size is room for tasks, or what a task takes of it.
type Size struct{ CPUUnits, MemoryMiB int }

// String reads like "256/512".
func (s Size) String() string { return fmt.Sprintf("%d/%d", s.CPUUnits, s.MemoryMiB) }

// State is where a member is in its life. The zero State is Launching.
type State int

// The states of a member, in their order.
const (
	Launching State = iota // asked of the instance provider, not joined yet
	Ready                  // joined
	Leaving                // takes no tasks any more, and goes
)

// Member is a container instance of the pool, or one that was asked for.
type Member struct {
	ID                 string
	Zone, Architecture string
	Size               Size
	Free               Size // what new tasks could have of it now: all of one that is launching, nothing of one that takes no more for another reason
	Stopping           Size // what tasks hold that are stopping
	Spot               Size // what Spot tasks hold that are not stopping
	Tasks              int  // on it, not stopped
	State              State
	Fixed              bool // it joined without having been asked for, so it is never terminated
	LaunchedAt         time.Time
	IdleSince          time.Time // since when it has no task; it is not idle for longer than since LaunchedAt
}

// Need is a number of equal tasks that wait for a place.
type Need struct {
	Size               Size
	Zone, Architecture string
	Spot               bool
	Since              time.Time // since when the oldest of them waits
	Count              int
}

// Rules are what the operator says of the pool.
type Rules struct {
	// Member is what a new member is made with. A task that is larger gets a member of its own size.
	Member Size
	// Zones and Architectures are where and with what members can be launched; none where either is empty.
	Zones, Architectures []string
	// MostMembers and Most bound all members together, with those that are launching or leaving. Zero, also of one part of Most: no bound.
	MostMembers int
	Most        Size
	// IdleFor is after how long a member without tasks goes.
	IdleFor time.Duration
	// LaunchTimeout is after how long a launch that did not join has failed. Zero: never.
	LaunchTimeout time.Duration
	// Spare is how many members without tasks are kept, or launched ahead, of size Member and the first architecture.
	Spare int
	// FirstBackoff is the pause after a failed launch, zero a second. It doubles up to LastBackoff.
	// After a failure, one member is launched at a time until one has joined.
	FirstBackoff, LastBackoff time.Duration
	// LaunchAtOnce is how many members may be launching at a time. Zero: no bound.
	LaunchAtOnce int
}

// View is what a decision looks at. Its cost grows with the members and the needs, not with the tasks.
type View struct {
	Members  []Member
	Needs    []Need // equal waiting tasks are one
	Launches []Launches
	Rules    Rules
}

// place is where a task must run.
type place struct{ zone, architecture string }

func (m *Member) place() place { return place{m.Zone, m.Architecture} }

func (n Need) place() place { return place{n.Zone, n.Architecture} }

// idleSince is since when a member without tasks could have had some.
func (m *Member) idleSince() time.Time {
	if m.IdleSince.After(m.LaunchedAt) {
		return m.IdleSince
	}
	return m.LaunchedAt
}

// boundless is more than all that is counted.
const boundless = 1 << 31

// holds is how many times t fits into s.
func (s Size) holds(t Size) int {
	n := boundless
	if t.CPUUnits > 0 {
		n = min(n, max(s.CPUUnits, 0)/t.CPUUnits)
	}
	if t.MemoryMiB > 0 {
		n = min(n, max(s.MemoryMiB, 0)/t.MemoryMiB)
	}
	return n
}

func (s Size) plus(t Size) Size { return Size{s.CPUUnits + t.CPUUnits, s.MemoryMiB + t.MemoryMiB} }

func (s Size) minus(t Size) Size { return Size{s.CPUUnits - t.CPUUnits, s.MemoryMiB - t.MemoryMiB} }

func (s Size) times(n int) Size { return Size{n * s.CPUUnits, n * s.MemoryMiB} }

// least has of each part the smaller one.
func (s Size) least(t Size) Size {
	return Size{min(s.CPUUnits, t.CPUUnits), min(s.MemoryMiB, t.MemoryMiB)}
}

// atLeast0 is s without what is negative, as the room of an overbooked member is.
func (s Size) atLeast0() Size { return Size{max(s.CPUUnits, 0), max(s.MemoryMiB, 0)} }
