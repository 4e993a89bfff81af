package capacity

import "slices"

// bounds is how much the pool has, against how much it may have.
type bounds struct {
	held     sum // all members, those of the plan too
	leaving  sum // of these, what goes
	promised sum // members that will be launched, but not now
}

// sum is a number of members and their sizes together.
type sum struct {
	members int
	size    Size
}

func (s sum) plus(n int, size Size) sum { return sum{s.members + n, s.size.plus(size.times(n))} }

// room is how many members of a size there may be beyond used.
func (r Rules) room(used sum, size Size) int {
	n := boundless
	if r.MostMembers > 0 {
		n = min(n, r.MostMembers-used.members)
	}
	left := r.Most.minus(used.size)
	if r.Most.CPUUnits > 0 && size.CPUUnits > 0 {
		n = min(n, left.CPUUnits/size.CPUUnits)
	}
	if r.Most.MemoryMiB > 0 && size.MemoryMiB > 0 {
		n = min(n, left.MemoryMiB/size.MemoryMiB)
	}
	return max(n, 0)
}

// roomNow is how many members of a size there may be before anything leaves. What is promised to tasks that came first is not given away.
func (d *decision) roomNow(size Size) int {
	return d.Rules.room(sum{d.held.members + d.promised.members, d.held.size.plus(d.promised.size)}, size)
}

// roomSoon is how many members of a size there may be when all that leaves has left and all that is promised is there.
func (d *decision) roomSoon(size Size) int {
	return d.Rules.room(sum{d.held.members + d.promised.members - d.leaving.members, d.held.size.plus(d.promised.size).minus(d.leaving.size)}, size)
}

// serve finds places for the tasks that present members have no free room for: on new members; in room that tasks leave which are stopping; on
// members that are launched later, when idle ones have left if need be; in room that Spot tasks give back. What is left then is told.
func (d *decision) serve(w *want) {
	if w.left > 0 {
		d.plan.Later += w.site.fillRows(w)
	}
	closed := d.closed(w.site)
	size := d.Rules.memberFor(w.Size)
	if closed == 0 {
		d.launch(w, size)
	}
	w.site.fill(w, stopping)
	if closed == 0 {
		d.promise(w, size)
	}
	if !w.Spot && w.left > 0 && (closed != Failing || w.site.launches.Failures >= pressure) {
		w.site.fill(w, spot)
	}
	if w.left > 0 {
		d.unavailable(w, closed)
	}
}

// memberFor is the size of a new member for a task.
func (r Rules) memberFor(task Size) Size {
	if r.Member.holds(task) > 0 {
		return r.Member
	}
	return task.atLeast0()
}

// closed is why nothing may be launched for a site, whatever the bounds; 0 if something may.
func (d *decision) closed(s *site) Reason {
	switch {
	case !slices.Contains(d.Rules.Architectures, s.architecture):
		return NoArchitecture
	case !slices.Contains(d.Rules.Zones, s.zone):
		return NoZone
	case s.launches.Failures > 0 && d.now.Before(s.launches.until(d.Rules)):
		return Failing
	}
	return 0
}

// mayLaunch is how many members may be launched for a site now. After a failure it is one at a time, until one has joined.
func (d *decision) mayLaunch(s *site) int {
	n := boundless
	if d.Rules.LaunchAtOnce > 0 {
		n = d.Rules.LaunchAtOnce - d.launching
	}
	if s.launches.Failures > 0 {
		n = min(n, 1-s.trials)
	}
	return max(n, 0)
}

// launch makes new members for a want, as many as may be now.
func (d *decision) launch(w *want, size Size) {
	if n := min(w.members(size), d.roomNow(size), d.mayLaunch(w.site)); n > 0 {
		d.add(w.site, size, n)
		d.plan.Later += w.site.fillRows(w)
	}
}

// add launches members.
func (d *decision) add(s *site, size Size, n int) {
	d.held = d.held.plus(n, size)
	d.launching += n
	s.trials += n
	s.rows = append(s.rows, row{size, size, n, false})
}

// members is how many members of a size a want's tasks fill that have no place yet.
func (w *want) members(size Size) int {
	each := size.holds(w.Size)
	return (w.left + each - 1) / each
}

// promise makes new members for a want that are launched when other launches are over or others have left. Idle ones are terminated for that,
// the oldest first, if it helps.
func (d *decision) promise(w *want, size Size) {
	for w.left > 0 {
		if n := min(w.members(size), d.roomSoon(size)); n > 0 {
			d.promised = d.promised.plus(n, size)
			w.site.rows = append(w.site.rows, row{size, size, n, true})
			d.plan.Later += w.site.fillRows(w)
			continue
		}
		if !d.idleWouldDo(size) {
			return
		}
		last := len(d.idle) - 1
		d.terminate(d.idle[last])
		d.idle = d.idle[:last]
	}
}

// idleWouldDo reports whether a member could be launched if all idle ones had left.
func (d *decision) idleWouldDo(size Size) bool {
	before := d.leaving
	for _, m := range d.idle {
		d.leaving = d.leaving.plus(1, m.Size)
	}
	n := d.roomSoon(size)
	d.leaving = before
	return n > 0 && len(d.idle) > 0
}

// unavailable tells of the tasks of a want that are left.
func (d *decision) unavailable(w *want, why Reason) {
	u := Unavailable{Need: w.Need, Reason: why}
	u.Count = w.left
	switch why {
	case Failing:
		u.Detail = w.site.launches.Reason
		d.again(w.site.launches.until(d.Rules))
	case 0:
		u.Reason = AtBound
	case NoZone, NoArchitecture, AtBound:
	}
	d.plan.Unavailable = append(d.plan.Unavailable, u)
}
