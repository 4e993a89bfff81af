package capacity

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func randomWorld(t *rapid.T) *world {
	w := &world{now: noon}
	draw := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
	w.rules = Rules{
		Member: rapid.SampledFrom([]Size{{}, {1024, 2048}, {1024, 4096}, {4096, 8192}}).Draw(t, "member"),
		Zones:  rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}}).Draw(t, "zones"), Architectures: rapid.SampledFrom([][]string{nil, {"x"}, {"x", "y"}}).Draw(t, "architectures"),
		MostMembers: draw("most members", 8), Spare: draw("spare", 2), LaunchAtOnce: draw("at once", 4),
		Most:    Size{draw("most cpu", 4) * 3000, draw("most memory", 4) * 6000},
		IdleFor: time.Duration(draw("idle", 3)) * time.Minute, LaunchTimeout: time.Duration(draw("timeout", 3)) * time.Minute,
		FirstBackoff: time.Duration(draw("backoff", 3)) * 10 * time.Second, LastBackoff: time.Minute,
	}
	return w
}

// randomStep lets something happen.
func (w *world) randomStep(t *rapid.T) {
	pick := func() *box {
		if len(w.members) == 0 {
			return nil
		}
		return rapid.SampledFrom(w.members).Draw(t, "member")
	}
	switch rapid.SampledFrom([]string{"need", "need", "place", "place", "join", "fail", "gone", "end", "stop", "stopped", "wait", "machine"}).Draw(t, "step") {
	case "need":
		n := randomNeed(t)
		for range rapid.IntRange(1, 12).Draw(t, "count") {
			w.waiting = append(w.waiting, task{Need: n})
		}
	case "place":
		w.place()
	case "join":
		for _, b := range w.members {
			w.join(b)
		}
	case "fail":
		if b := pick(); b != nil && b.State == Launching {
			w.fail(b.ID, "no capacity")
		}
	case "gone":
		if b := pick(); b != nil && b.State == Leaving {
			w.gone(b.ID)
		}
	case "end":
		if b := pick(); b != nil && len(b.tasks) > 0 {
			w.end(b, 1)
		}
	case "stop":
		if b := pick(); b != nil && len(b.tasks) > 0 {
			b.tasks[0].stopping = true
		}
	case "stopped":
		for _, b := range w.members {
			w.end(b, 0)
		}
	case "wait":
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
	case "machine":
		w.made++
		w.members = append(w.members, &box{Member: Member{
			ID: fmt.Sprintf("f%d", w.made), Size: Size{1024, 2048}, Zone: "b", Architecture: "y", State: Ready, Fixed: true, LaunchedAt: w.now}})
	}
}

func randomNeed(t *rapid.T) Need {
	return Need{
		Size: rapid.SampledFrom([]Size{{256, 512}, {256, 2048}, {512, 1024}, {1024, 2048}, {1024, 4096}, {2048, 4096}, {4096, 8192}}).Draw(t, "size"),
		Zone: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "zone"), Architecture: rapid.SampledFrom([]string{"x", "x", "y"}).Draw(t, "architecture"),
		Spot: rapid.Bool().Draw(t, "spot"),
	}
}

// TestLaws: whatever happened before, a plan stays within the bounds, covers every task or says why not, ends no member with tasks, takes
// only what Spot tasks have, and applied leads to no more launches and terminations.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t)
		for range rapid.IntRange(0, 25).Draw(t, "steps") {
			w.randomStep(t)
			v := w.view()
			p := Decide(v, w.now)
			if diff := cmp.Diff(p, Decide(v, w.now)); diff != "" {
				t.Fatalf("not deterministic\n%s", diff)
			}
			for _, wrong := range []string{overBounds(v, p), wrongEnds(v, p, w.now), wrongReclaims(v, p), uncovered(v, p), couldGrow(v, p)} {
				if wrong != "" {
					t.Fatalf("%s\n%+v\n%s", wrong, v, p)
				}
			}
			w.apply(p)
			if !w.calms() {
				t.Fatalf("Spot tasks are taken room from for ever\n%+v\n%s", v, p)
			}
			if after := Decide(w.view(), w.now); len(after.Launch) > 0 || len(after.Terminate) > 0 || len(after.Launches) > 0 {
				t.Fatalf("first\n%s\nthen\n%s\n%+v", p, after, v)
			}
		}
	})
}

// calms reports whether Spot tasks give back room a few times at most when nothing else happens.
func (w *world) calms() bool {
	for range 2 * len(w.members) {
		p := Decide(w.view(), w.now)
		if len(p.Reclaim) == 0 {
			return true
		}
		w.apply(Plan{Reclaim: p.Reclaim})
	}
	return len(w.members) == 0
}

// couldGrow finds tasks that are told that the pool is at its bound though another member would be within it.
func couldGrow(v View, p Plan) string {
	var all sum
	for _, m := range v.Members {
		all = all.plus(1, m.Size)
	}
	for _, l := range p.Launch {
		all = all.plus(l.Count, l.Size)
	}
	for _, u := range p.Unavailable {
		if u.Reason == AtBound && p.Later == 0 && v.Rules.room(all, v.Rules.memberFor(u.Size)) > 0 {
			return "the pool could grow: " + u.String()
		}
	}
	return ""
}

// overBounds says which bound the pool breaks after the plan.
func overBounds(v View, p Plan) string {
	var all sum
	launching := 0
	for _, m := range v.Members {
		all = all.plus(1, m.Size)
		if m.State == Launching && !slices.Contains(p.Terminate, m.ID) {
			launching++
		}
	}
	if len(p.Launch) == 0 {
		return "" // machines may have joined on their own
	}
	for _, l := range p.Launch {
		all = all.plus(l.Count, l.Size)
		launching += l.Count
		if !slices.Contains(v.Rules.Zones, l.Zone) || !slices.Contains(v.Rules.Architectures, l.Architecture) || l.Count <= 0 {
			return fmt.Sprintf("launch of %+v", l)
		}
	}
	r := v.Rules
	switch {
	case r.MostMembers > 0 && all.members > r.MostMembers:
		return "too many members"
	case r.Most.CPUUnits > 0 && all.size.CPUUnits > r.Most.CPUUnits || r.Most.MemoryMiB > 0 && all.size.MemoryMiB > r.Most.MemoryMiB:
		return "too much room"
	case r.LaunchAtOnce > 0 && launching > r.LaunchAtOnce:
		return "too many launches at once"
	}
	return ""
}

func wrongEnds(v View, p Plan, now time.Time) string {
	for n, id := range p.Terminate {
		i := slices.IndexFunc(v.Members, func(m Member) bool { return m.ID == id })
		m := &v.Members[i]
		late := m.State == Launching && v.Rules.LaunchTimeout > 0 && now.Sub(m.LaunchedAt) >= v.Rules.LaunchTimeout
		if slices.Contains(p.Terminate[:n], id) || m.Fixed || m.Tasks > 0 || m.State != Ready && !late {
			return "terminate " + id
		}
		if m.State == Ready && now.Sub(m.idleSince()) < v.Rules.IdleFor && p.Later == 0 {
			return "terminate too early " + id
		}
	}
	return ""
}

func wrongReclaims(v View, p Plan) string {
	for _, r := range p.Reclaim {
		i := slices.IndexFunc(v.Members, func(m Member) bool { return m.ID == r.Member })
		if m := v.Members[i]; m.Spot.least(r.Size) != r.Size || r.Size.atLeast0() != r.Size {
			return "reclaim from " + m.ID
		}
	}
	return ""
}

// uncovered places the tasks one by one, first on what is free, then on what is launched, then on what stops or is reclaimed. Those that find
// no place must be as many as the plan tells of, or wait for a later launch.
func uncovered(v View, p Plan) string {
	told := 0
	for _, u := range p.Unavailable {
		told += u.Count
	}
	homeless := 0
	present, late, launched := rooms(v, p)
	for _, n := range present.place(inOrder(v)) {
		for range n.Count {
			if !launched.take(n) && !late.take(n) {
				homeless++
			}
		}
	}
	if homeless < told || homeless > told+p.Later {
		return fmt.Sprintf("%d tasks without a place, %d told, %d later", homeless, told, p.Later)
	}
	return ""
}

// inOrder are the needs as they are served.
func inOrder(v View) (out []Need) {
	for _, w := range (&decision{View: v, byPlace: map[place]*site{}}).wants() {
		out = append(out, w.Need)
	}
	return out
}

// shelf is room on members that are tried one after another. The room may be another shelf's too.
type shelf []room

type room struct {
	place
	parts []*Size
}

func (s shelf) take(n Need) bool {
	for _, r := range s {
		var all Size
		for _, p := range r.parts {
			all = all.plus(p.atLeast0())
		}
		if r.place != n.place() || all.holds(n.Size) == 0 {
			continue
		}
		rest := n.Size
		for _, p := range r.parts {
			part := rest.least(p.atLeast0())
			*p, rest = p.minus(part), rest.minus(part)
		}
		return true
	}
	return false
}

// place takes what there is and returns what is left of the needs.
func (s shelf) place(needs []Need) []Need {
	for i := range needs {
		for needs[i].Count > 0 && s.take(needs[i]) {
			needs[i].Count--
		}
	}
	return needs
}

// rooms are what members that do not go have free, the same with what stops and is reclaimed, and what is launched.
func rooms(v View, p Plan) (present, late, launched shelf) {
	var all []*member
	for i := range v.Members {
		if m := &v.Members[i]; m.State != Leaving && !slices.Contains(p.Terminate, m.ID) {
			all = append(all, &member{Member: m})
		}
	}
	slices.SortFunc(all, byUse)
	for _, m := range all {
		free, more := m.Free, m.Stopping
		for _, r := range p.Reclaim {
			if r.Member == m.ID {
				more = more.plus(r.Size)
			}
		}
		present = append(present, room{m.place(), []*Size{&free}})
		late = append(late, room{m.place(), []*Size{&free, &more}})
	}
	for _, l := range p.Launch {
		for range l.Count {
			launched = append(launched, room{place{l.Zone, l.Architecture}, []*Size{{l.Size.CPUUnits, l.Size.MemoryMiB}}})
		}
	}
	return present, late, launched
}
