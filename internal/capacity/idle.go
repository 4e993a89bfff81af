package capacity

import (
	"cmp"
	"slices"
	"strings"
)

// idlers finds the members that have no tasks and get none of those that wait, and that may be terminated.
func (d *decision) idlers() {
	for _, s := range d.sites {
		for _, m := range s.members {
			if m.State == Ready && m.Tasks == 0 && m.stopping == (Size{}) && m.spot == (Size{}) && !m.used && !m.Fixed {
				d.idle = append(d.idle, m)
			}
		}
	}
	slices.SortFunc(d.idle, func(a, b *member) int {
		return cmp.Or(b.LaunchedAt.Compare(a.LaunchedAt), strings.Compare(a.ID, b.ID))
	})
}

// terminateIdle ends the members that have been idle for long, but for the newest ones that are kept as spare.
func (d *decision) terminateIdle() {
	stay := d.idle[:0]
	for i, m := range d.idle {
		end := m.idleSince().Add(d.Rules.IdleFor)
		switch {
		case i < d.Rules.Spare:
		case d.now.Before(end):
			d.again(end)
		default:
			d.terminate(m)
			continue
		}
		stay = append(stay, m)
	}
	d.idle = stay
}

func (d *decision) terminate(m *member) {
	m.goes = true
	d.leaving = d.leaving.plus(1, m.Size)
	d.plan.Terminate = append(d.plan.Terminate, m.ID)
}

// launchSpare launches members ahead of need, where the fewest are without tasks. Tasks that wait come first.
func (d *decision) launchSpare() {
	if d.plan.Later > 0 || len(d.plan.Unavailable) > 0 || d.Rules.Member == (Size{}) || len(d.Rules.Architectures) == 0 {
		return
	}
	spare, all := map[*site]int{}, 0
	for _, s := range d.sites {
		for _, m := range s.members {
			if m.Tasks == 0 && !m.used && !m.goes {
				spare[s]++
				all++
			}
		}
	}
	for ; all < d.Rules.Spare; all++ {
		s := d.emptiest(spare)
		if s == nil {
			return
		}
		spare[s]++
		d.add(s, d.Rules.Member, 1)
	}
}

// emptiest is the site of those where a member may be launched now that has the fewest spare ones; nil if there is none.
func (d *decision) emptiest(spare map[*site]int) (best *site) {
	size := d.Rules.Member
	if d.roomNow(size) == 0 {
		return nil
	}
	for _, zone := range d.Rules.Zones {
		s := d.site(place{zone, d.Rules.Architectures[0]})
		switch d.closed(s) {
		case Failing:
			d.again(s.launches.until(d.Rules))
		case 0:
			if d.mayLaunch(s) > 0 && (best == nil || spare[s] < spare[best]) {
				best = s
			}
		case NoZone, NoArchitecture, AtBound:
		}
	}
	return best
}
