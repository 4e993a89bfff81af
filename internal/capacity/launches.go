package capacity

import (
	"fmt"
	"slices"
	"time"
)

// Launches tells of the failed launches in a row of a zone and architecture. The caller keeps it in a record; a plan says what becomes of it.
type Launches struct {
	Zone, Architecture string
	Failures           int // rounds of launches that failed in a row
	LastFailure        time.Time
	Reason             string // of the last failure
}

// String reads like "launches of X86_64 in a: 2 failures, last: no capacity".
func (l Launches) String() string {
	if l.Failures == 0 {
		return fmt.Sprintf("launches of %s in %s: well", l.Architecture, l.Zone)
	}
	return fmt.Sprintf("launches of %s in %s: %d failures, last: %s", l.Architecture, l.Zone, l.Failures, l.Reason)
}

// Fail is l after the failure of a launch that was asked for at launchedAt. Launches that were under way at the last failure are of its
// round: however many of a round fail, it counts once.
func (l Launches) Fail(launchedAt, now time.Time, reason string) Launches {
	if l.Failures > 0 && !launchedAt.After(l.LastFailure) {
		return l
	}
	l.Failures++
	l.LastFailure, l.Reason = now, reason
	return l
}

// pressure is how many failures in a row make Spot tasks give back their room. The first may be a mishap.
const pressure = 2

// until is when the pause after the last failure ends.
func (l Launches) until(r Rules) time.Time {
	pause, longest := r.backoff()
	for n := 1; n < l.Failures && pause < longest; n++ {
		pause *= 2
	}
	return l.LastFailure.Add(min(pause, longest))
}

// backoff is the shortest and the longest pause.
func (r Rules) backoff() (first, last time.Duration) {
	if first = r.FirstBackoff; first <= 0 {
		first = time.Second
	}
	return first, max(first, r.LastBackoff)
}

// judge counts the launches that did not join in time as failures, terminates them, and ends the rows of failures: where a member joined that
// was launched after the last one, and where that was so long ago that it says nothing of today.
func (d *decision) judge() {
	for _, l := range d.Launches {
		d.site(place{l.Zone, l.Architecture}).launches = l
	}
	for i := range d.Members {
		m := &d.Members[i]
		l := &d.site(m.place()).launches
		switch {
		case m.State == Ready && !m.Fixed && l.Failures > 0 && m.LaunchedAt.After(l.LastFailure):
			*l = Launches{Zone: m.Zone, Architecture: m.Architecture}
		case d.late(m):
			*l = l.Fail(m.LaunchedAt, d.now, fmt.Sprintf("%s did not join within %s", m.ID, d.Rules.LaunchTimeout))
			d.plan.Terminate = append(d.plan.Terminate, m.ID)
		case m.State == Launching && d.Rules.LaunchTimeout > 0:
			d.again(m.LaunchedAt.Add(d.Rules.LaunchTimeout))
		}
	}
	_, longest := d.Rules.backoff()
	for _, s := range d.sites {
		if l := &s.launches; l.Failures > 0 && d.now.Sub(l.LastFailure) > 2*longest+d.Rules.LaunchTimeout {
			*l = Launches{Zone: l.Zone, Architecture: l.Architecture}
		}
	}
}

// late reports whether a launch is one that did not join in time.
func (d *decision) late(m *Member) bool {
	return m.State == Launching && d.Rules.LaunchTimeout > 0 && d.now.Sub(m.LaunchedAt) >= d.Rules.LaunchTimeout
}

// record puts the changed records into the plan.
func (d *decision) record() {
	for _, s := range d.sites {
		i := slices.IndexFunc(d.Launches, func(l Launches) bool { return place{l.Zone, l.Architecture} == s.place })
		if i < 0 && s.launches.Failures > 0 || i >= 0 && s.launches != d.Launches[i] {
			d.plan.Launches = append(d.plan.Launches, s.launches)
		}
	}
}
