package capacity

import (
	"cmp"
	"slices"
	"time"
)

// Decide says what the pool does now. Tasks go first into what members have free or will have when they join, the largest first, then into
// new members; tasks that are not Spot before those that are.
func Decide(v View, now time.Time) Plan {
	v.Rules.Member = v.Rules.Member.atLeast0()
	d := &decision{View: v, now: now, byPlace: map[place]*site{}}
	d.judge()
	d.seat()
	wants := d.wants()
	for _, w := range wants {
		w.site.fill(w, free)
	}
	d.idlers()
	d.terminateIdle()
	for _, w := range wants {
		d.serve(w)
	}
	d.launchSpare()
	return d.finish()
}

// decision is a plan in the making.
type decision struct {
	View
	now     time.Time
	plan    Plan
	byPlace map[place]*site
	sites   []*site // as they were met
	bounds
	launching int       // members that are launching, those of the plan too
	idle      []*member // of all sites, without tasks and not in use for waiting ones, the newest first
}

// site is a zone with an architecture: tasks of one go to members of the same.
type site struct {
	place
	members  []*member // those that take tasks, in the order in which they are tried
	rows     []row
	launches Launches
	trials   int // launches under way that were asked for after the last failure
}

// want is a need, and how many of its tasks have no place yet.
type want struct {
	Need
	site *site
	left int
}

func (d *decision) site(p place) *site {
	s := d.byPlace[p]
	if s == nil {
		s = &site{place: p, launches: Launches{Zone: p.zone, Architecture: p.architecture}}
		d.byPlace[p] = s
		d.sites = append(d.sites, s)
	}
	return s
}

// seat counts all members and brings those that take tasks to their sites: the ones with tasks first, so that idle ones may go; then the
// newest idle ones; then the launches that should join first.
func (d *decision) seat() {
	for i := range d.Members {
		m := &d.Members[i]
		d.held = d.held.plus(1, m.Size)
		s := d.site(m.place())
		switch {
		case m.State == Leaving || d.late(m):
			d.leaving = d.leaving.plus(1, m.Size)
			continue
		case m.State == Launching:
			d.launching++
			if m.LaunchedAt.After(s.launches.LastFailure) {
				s.trials++
			}
		}
		s.members = append(s.members, &member{Member: m, free: m.Free.atLeast0(), stopping: m.Stopping.atLeast0(), spot: m.Spot.atLeast0()})
	}
	for _, s := range d.sites {
		slices.SortFunc(s.members, byUse)
	}
}

// wants are the needs in the order in which they are served.
func (d *decision) wants() []*want {
	var out []*want
	for i := range d.Needs {
		w := &want{Need: d.Needs[i], left: d.Needs[i].Count}
		if w.left > 0 {
			w.Size, w.site = w.Size.atLeast0(), d.site(w.place())
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b *want) int {
		return cmp.Or(bools(a.Spot, b.Spot), cmp.Compare(d.weight(b.Size), d.weight(a.Size)), cmp.Compare(b.Size.CPUUnits, a.Size.CPUUnits), a.Since.Compare(b.Since))
	})
	return out
}

// weight is how much of a new member a task takes, CPU and memory alike.
func (d *decision) weight(s Size) int {
	return s.CPUUnits*max(d.Rules.Member.MemoryMiB, 1) + s.MemoryMiB*max(d.Rules.Member.CPUUnits, 1)
}

// bools orders false before true.
func bools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (d *decision) again(at time.Time) {
	if d.plan.Again.IsZero() || at.Before(d.plan.Again) {
		d.plan.Again = at
	}
}

// finish gathers what the sites and members were told.
func (d *decision) finish() Plan {
	d.record()
	for _, s := range d.sites {
		for _, r := range s.rows {
			if !r.later {
				d.plan.launch(Launch{s.zone, s.architecture, r.size, r.count})
			}
		}
		for _, m := range s.members {
			if m.reclaim != (Size{}) {
				d.plan.Reclaim = append(d.plan.Reclaim, Reclaim{m.ID, m.reclaim})
			}
		}
	}
	return d.plan
}

// launch adds to what is launched; equal members are one line.
func (p *Plan) launch(l Launch) {
	for i := range p.Launch {
		if x := &p.Launch[i]; x.Zone == l.Zone && x.Architecture == l.Architecture && x.Size == l.Size {
			x.Count += l.Count
			return
		}
	}
	p.Launch = append(p.Launch, l)
}
