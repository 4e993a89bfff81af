package capacity

import (
	"cmp"
	"strings"
)

// member is a member that takes tasks, and what is left of it.
type member struct {
	*Member
	free, stopping, spot Size
	reclaim              Size // of what Spot tasks had
	used                 bool // a waiting task goes there
	goes                 bool // it is terminated
}

// source is which room of a member a waiting task may get, each with that before it.
type source int

const (
	free     source = iota
	stopping        // what tasks hold that are stopping
	spot            // what Spot tasks hold
)

func (m *member) room(from source) Size {
	room := m.free
	if from >= stopping {
		room = room.plus(m.stopping)
	}
	if from >= spot {
		room = room.plus(m.spot)
	}
	return room
}

// take takes room, of the free one first, and of Spot tasks last.
func (m *member) take(size Size) {
	m.used = true
	for _, part := range []*Size{&m.free, &m.stopping} {
		n := size.least(*part)
		*part, size = part.minus(n), size.minus(n)
	}
	m.spot, m.reclaim = m.spot.minus(size), m.reclaim.plus(size)
}

// fill places tasks on the site's members, first fit.
func (s *site) fill(w *want, from source) {
	for _, m := range s.members {
		if w.left == 0 {
			return
		}
		if n := min(m.room(from).holds(w.Size), w.left); n > 0 {
			m.take(w.Size.times(n))
			w.left -= n
		}
	}
}

// byUse is the order in which a site's members are tried.
func byUse(a, b *member) int {
	rank := func(m *member) int {
		switch {
		case m.State == Launching:
			return 2
		case m.Tasks == 0:
			return 1
		}
		return 0
	}
	byAge := a.LaunchedAt.Compare(b.LaunchedAt)
	if rank(a) == 1 {
		byAge = -byAge
	}
	return cmp.Or(rank(a)-rank(b), byAge, strings.Compare(a.ID, b.ID))
}

// row is a number of new members that are equal, also in what is left of them.
type row struct {
	size, free Size
	count      int
	later      bool // they are not launched now
}

// fillRows places tasks on members that do not exist yet, first fit. A row of which not all are filled alike becomes up to three. It returns
// how many of the tasks are on members that are not launched now.
func (s *site) fillRows(w *want) (later int) {
	for i := 0; i < len(s.rows) && w.left > 0; i++ {
		r := s.rows[i]
		each := r.free.holds(w.Size)
		if each == 0 {
			continue
		}
		var parts []row
		part := func(count, tasks int) {
			if count > 0 {
				parts = append(parts, row{r.size, r.free.minus(w.Size.times(tasks)), count, r.later})
			}
		}
		full := min(w.left/each, r.count)
		rest := 0
		if full < r.count {
			rest = w.left % each
		}
		part(full, each)
		part(min(rest, 1), rest)
		part(r.count-full-min(rest, 1), 0)
		s.rows = append(s.rows[:i], append(parts, s.rows[i+1:]...)...)
		i += len(parts) - 1
		w.left -= full*each + rest
		if r.later {
			later += full*each + rest
		}
	}
	return later
}
