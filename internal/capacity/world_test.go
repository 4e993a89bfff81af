package capacity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// world is a pool with its tasks, as the store would hold them, and a clock.
type world struct {
	rules    Rules
	members  []*box
	waiting  []task
	launches []Launches
	now      time.Time
	made     int
}

// box is a member and what is on it.
type box struct {
	Member
	tasks []task
}

type task struct {
	Need
	stopping bool
}

func (w *world) view() View {
	v := View{Rules: w.rules, Launches: slices.Clone(w.launches)}
	for _, b := range w.members {
		v.Members = append(v.Members, b.seen())
	}
	for _, t := range w.waiting {
		n := t.Need
		same := func(x Need) bool {
			return x.Size == n.Size && x.Zone == n.Zone && x.Architecture == n.Architecture && x.Spot == n.Spot
		}
		if i := slices.IndexFunc(v.Needs, same); i >= 0 {
			v.Needs[i].Count++
			continue
		}
		n.Count = 1
		v.Needs = append(v.Needs, n)
	}
	return v
}

// seen is the member with the sums of its tasks.
func (b *box) seen() Member {
	m := b.Member
	m.Free, m.Stopping, m.Spot, m.Tasks = m.Size, Size{}, Size{}, len(b.tasks)
	for _, t := range b.tasks {
		m.Free = m.Free.minus(t.Size)
		switch {
		case t.stopping:
			m.Stopping = m.Stopping.plus(t.Size)
		case t.Spot:
			m.Spot = m.Spot.plus(t.Size)
		}
	}
	return m
}

func (w *world) decide() Plan {
	p := Decide(w.view(), w.now)
	w.apply(p)
	return p
}

func (w *world) apply(p Plan) {
	for _, l := range p.Launches {
		w.record(l)
	}
	for _, l := range p.Launch {
		for range l.Count {
			w.made++
			w.members = append(w.members, &box{Member: Member{ID: fmt.Sprintf("m%d", w.made), Zone: l.Zone, Architecture: l.Architecture, Size: l.Size, LaunchedAt: w.now}})
		}
	}
	for _, id := range p.Terminate {
		w.box(id).State = Leaving
	}
	for _, r := range p.Reclaim {
		w.interrupt(w.box(r.Member), r.Size)
	}
}

func (w *world) record(l Launches) {
	i := slices.IndexFunc(w.launches, func(x Launches) bool { return x.Zone == l.Zone && x.Architecture == l.Architecture })
	if i < 0 {
		w.launches = append(w.launches, Launches{})
		i = len(w.launches) - 1
	}
	w.launches[i] = l
}

// interrupt warns Spot tasks of a member until they hold size.
func (w *world) interrupt(b *box, size Size) {
	for i := range b.tasks {
		if t := &b.tasks[i]; (size.CPUUnits > 0 || size.MemoryMiB > 0) && t.Spot && !t.stopping {
			t.stopping = true
			size = size.minus(t.Size)
		}
	}
}

func (w *world) box(id string) *box {
	i := slices.IndexFunc(w.members, func(b *box) bool { return b.ID == id })
	if i < 0 {
		panic("no member " + id)
	}
	return w.members[i]
}

// join makes a member that was launched ready.
func (w *world) join(b *box) {
	if b.State == Launching {
		b.State, b.IdleSince = Ready, w.now
	}
}

// fail is what a controller does when the provider could not launch a member.
func (w *world) fail(id, reason string) {
	b := w.box(id)
	l := Launches{Zone: b.Zone, Architecture: b.Architecture}
	for _, x := range w.launches {
		if x.Zone == b.Zone && x.Architecture == b.Architecture {
			l = x
		}
	}
	w.record(l.Fail(b.LaunchedAt, w.now, reason))
	w.gone(id)
}

func (w *world) gone(id string) {
	w.members = slices.DeleteFunc(w.members, func(b *box) bool { return b.ID == id })
}

// place runs waiting tasks on members that are ready, those that are not Spot first.
func (w *world) place() (placed int) {
	slices.SortStableFunc(w.waiting, func(a, b task) int { return bools(a.Spot, b.Spot) })
	w.waiting = slices.DeleteFunc(w.waiting, func(t task) bool {
		for _, b := range w.members {
			if b.State == Ready && b.place() == t.place() && b.seen().Free.holds(t.Size) > 0 {
				b.tasks = append(b.tasks, t)
				placed++
				return true
			}
		}
		return false
	})
	return placed
}

// end ends tasks of a member: those that are stopping, or the first n.
func (w *world) end(b *box, n int) {
	if n == 0 {
		b.tasks = slices.DeleteFunc(b.tasks, func(t task) bool { return t.stopping })
	} else {
		b.tasks = b.tasks[min(n, len(b.tasks)):]
	}
	if len(b.tasks) == 0 {
		b.IdleSince = w.now
	}
}

// play does one line of a story and says what came of it.
func (w *world) play(line string) string {
	f := strings.Fields(line)
	switch verb, rest := f[0], f[1:]; verb {
	case "rules":
		w.setRules(rest)
	case "wait": // D
		w.now = w.now.Add(must(time.ParseDuration(rest[0])))
	case "need": // N SIZE ZONE ARCHITECTURE [spot]
		n := Need{Size: size(rest[1]), Zone: rest[2], Architecture: rest[3], Spot: len(rest) > 4, Since: w.now}
		for range must(strconv.Atoi(rest[0])) {
			w.waiting = append(w.waiting, task{Need: n})
		}
	case "cancel": // all that wait
		w.waiting = nil
	case "machine": // ID SIZE ZONE ARCHITECTURE: joins without having been asked for
		w.members = append(w.members, &box{Member: Member{
			ID: rest[0], Size: size(rest[1]), Zone: rest[2], Architecture: rest[3], State: Ready, Fixed: true, LaunchedAt: w.now, IdleSince: w.now}})
	case "decide":
		return w.decide().String()
	case "join": // [ID ...], else all
		for _, b := range w.members {
			if len(rest) == 0 || slices.Contains(rest, b.ID) {
				w.join(b)
			}
		}
	case "fail": // ID REASON
		w.fail(rest[0], strings.Join(rest[1:], " "))
	case "gone": // ID ...
		for _, id := range rest {
			w.gone(id)
		}
	case "place":
		placed := w.place()
		return fmt.Sprintf("%d placed, %d wait", placed, len(w.waiting))
	case "stop": // ID N: they are stopping
		for i := range must(strconv.Atoi(rest[1])) {
			w.box(rest[0]).tasks[i].stopping = true
		}
	case "stopped": // ID: what was stopping
		w.end(w.box(rest[0]), 0)
	case "end": // ID N
		w.end(w.box(rest[0]), must(strconv.Atoi(rest[1])))
	default:
		panic("unknown line: " + line)
	}
	return ""
}

// setRules reads "member 4096/8192 zones a,b architectures X86_64 most-members 3 most 1/2 idle 5m timeout 2m spare 1 backoff 10s,5m at-once 3".
func (w *world) setRules(words []string) {
	for i := 0; i < len(words); i += 2 {
		switch r, v := &w.rules, words[i+1]; words[i] {
		case "member":
			r.Member = size(v)
		case "zones":
			r.Zones = strings.Split(v, ",")
		case "architectures":
			r.Architectures = strings.Split(v, ",")
		case "most-members":
			r.MostMembers = must(strconv.Atoi(v))
		case "most":
			r.Most = size(v)
		case "idle":
			r.IdleFor = must(time.ParseDuration(v))
		case "timeout":
			r.LaunchTimeout = must(time.ParseDuration(v))
		case "spare":
			r.Spare = must(strconv.Atoi(v))
		case "backoff":
			first, last, _ := strings.Cut(v, ",")
			r.FirstBackoff, r.LastBackoff = must(time.ParseDuration(first)), must(time.ParseDuration(last))
		case "at-once":
			r.LaunchAtOnce = must(strconv.Atoi(v))
		default:
			panic("unknown rule: " + words[i])
		}
	}
}

func size(s string) (out Size) {
	cpu, mib, _ := strings.Cut(s, "/")
	return Size{must(strconv.Atoi(cpu)), must(strconv.Atoi(mib))}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
