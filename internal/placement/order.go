package placement

import (
	"container/heap"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// rank compares candidates: one number for each strategy, the smaller the better, and the fleet's order last.
type rank [6]int64

func (a rank) less(b rank) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// levels splits a chain of strategies. The attribute spreads that lead it make groups of instances within groups, because a task changes the
// rank of a whole group; what follows ranks single instances (ranker).
func levels(chain []types.PlacementStrategy) (spread []string, rest []types.PlacementStrategy) {
	for i, s := range chain {
		field := text(s.Field)
		if s.Type != types.PlacementStrategyTypeSpread || single(field) {
			return spread, chain[i:]
		}
		spread = append(spread, field)
	}
	return spread, nil
}

// single reports whether a spread field names the instance itself.
func single(field string) bool {
	return strings.EqualFold(field, "instanceId") || strings.EqualFold(field, "host")
}

// lookup finds one attribute in many instances. Agents send their attributes in much the same order, so it looks first where the last
// instance had it.
type lookup struct {
	name  string
	at    int
	want  string // the value that a required attribute must have
	exact bool   // it must have that value
}

// lookups are those of some spread fields.
func lookups(fields []string) []*lookup {
	out := make([]*lookup, len(fields))
	for i, f := range fields {
		name, want, exact := strings.Cut(strings.TrimPrefix(f, "attribute:"), "=")
		out[i] = &lookup{name: name, want: want, exact: exact}
	}
	return out
}

// of returns the attribute's value and whether the instance has it.
func (l *lookup) of(i *ecs.Instance) (string, bool) {
	if l.at >= len(i.Attributes) || text(i.Attributes[l.at].Name) != l.name {
		at := slices.IndexFunc(i.Attributes, func(a types.Attribute) bool { return a.Name != nil && *a.Name == l.name })
		if at < 0 {
			return "", false
		}
		l.at = at
	}
	return text(i.Attributes[l.at].Value), true
}

// value is what the instance has, "" where it has not got the attribute.
func (l *lookup) value(i *ecs.Instance) string { v, _ := l.of(i); return v }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// ranker ranks single candidates by the strategies after the leading spreads.
type ranker struct {
	chain  []types.PlacementStrategy
	fields []*lookup          // of chain
	counts []map[string]int64 // of attribute spreads within chain: tasks of the group by value
}

func newRanker(chain []types.PlacementStrategy) *ranker {
	if len(chain) > 5 {
		chain = chain[:5]
	}
	fields := make([]string, len(chain))
	for i, s := range chain {
		fields[i] = text(s.Field)
	}
	return &ranker{chain: chain, fields: lookups(fields), counts: make([]map[string]int64, len(chain))}
}

// seen tells the ranker of tasks of the group on a candidate.
func (k *ranker) seen(c *candidate, tasks int) {
	for n, s := range k.chain {
		if field := text(s.Field); s.Type == types.PlacementStrategyTypeSpread && !single(field) {
			if k.counts[n] == nil {
				k.counts[n] = map[string]int64{}
			}
			k.counts[n][k.fields[n].value(c.instance)] += int64(tasks)
		}
	}
}

func (k *ranker) rank(c *candidate) (r rank) {
	for n, s := range k.chain {
		field := text(s.Field)
		switch {
		case s.Type == types.PlacementStrategyTypeRandom:
			r[n] = c.turn
		case s.Type == types.PlacementStrategyTypeBinpack && strings.EqualFold(field, "cpu"):
			r[n] = int64(c.cpu)
		case s.Type == types.PlacementStrategyTypeBinpack:
			r[n] = int64(c.mib)
		case single(field):
			r[n] = int64(c.group)
		default:
			r[n] = k.counts[n][k.fields[n].value(c.instance)]
		}
	}
	r[5] = int64(c.index)
	return r
}

// mix spreads a number's bits evenly (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// group is a tree of candidates: its children are the values of a spread field, or, at the bottom, the candidates themselves.
type group struct {
	children []*group // a heap by count and best
	byValue  map[string]*group
	count    int64 // tasks of the request's group below
	leaves   leaves
	at       int // place in the parent's heap
}

func (g *group) add(c *candidate, fields []*lookup, k *ranker) {
	g.count += int64(c.group)
	if len(fields) == 0 {
		g.leaves.all = append(g.leaves.all, leaf{k.rank(c), c})
		return
	}
	if g.byValue == nil {
		g.byValue = map[string]*group{}
	}
	v := fields[0].value(c.instance)
	child := g.byValue[v]
	if child == nil {
		child = &group{at: len(g.children)}
		g.byValue[v] = child
		g.children = append(g.children, child)
	}
	child.add(c, fields[1:], k)
}

func (g *group) init() {
	for _, c := range g.children {
		c.init()
	}
	if g.byValue != nil {
		heap.Init((*groups)(g))
	} else {
		heap.Init(&g.leaves)
	}
}

// empty reports whether no candidate is left.
func (g *group) empty() bool { return len(g.children) == 0 && len(g.leaves.all) == 0 }

// before compares two groups of one parent: fewer tasks first, then what is best within them.
func (g *group) before(o *group) bool {
	for g.count == o.count && len(g.children) > 0 && len(o.children) > 0 {
		g, o = g.children[0], o.children[0]
	}
	if g.count != o.count || len(g.leaves.all) == 0 || len(o.leaves.all) == 0 {
		return g.count < o.count
	}
	return g.leaves.all[0].rank.less(o.leaves.all[0].rank)
}

// step is what one try at the best candidate led to.
type step int

const (
	none   step = iota // no candidate is left
	moved              // the best one is not the best any more, or takes no more: look again from the top
	placed             // use took it
)

// pick calls use with the best candidate, which stays if use says so, and reports whether there was one.
func (g *group) pick(k *ranker, use func(*candidate) bool) bool {
	for {
		if s := g.try(k, use); s != moved {
			return s == placed
		}
	}
}

// try looks at the best candidate once. Ranks in the heaps are never too high: what has become worse is noticed when it comes to the top.
func (g *group) try(k *ranker, use func(*candidate) bool) step {
	if g.byValue == nil {
		return g.tryLeaf(k, use)
	}
	if len(g.children) == 0 {
		return none
	}
	top := g.children[0]
	before := top.count
	s := top.try(k, use)
	g.count += top.count - before
	if !top.empty() {
		heap.Fix((*groups)(g), top.at)
		return s
	}
	heap.Remove((*groups)(g), top.at)
	if s == none {
		s = moved
	}
	return s
}

func (g *group) tryLeaf(k *ranker, use func(*candidate) bool) step {
	if len(g.leaves.all) == 0 {
		return none
	}
	top := &g.leaves.all[0]
	if now := k.rank(top.candidate); top.rank.less(now) { // a count that it shares with others has grown since
		top.rank = now
		heap.Fix(&g.leaves, 0)
		return moved
	}
	if !use(top.candidate) {
		heap.Pop(&g.leaves)
		return moved
	}
	g.count++
	top.rank = k.rank(top.candidate)
	heap.Fix(&g.leaves, 0)
	return placed
}

// groups is the heap of a group's children.
type groups group

func (g *groups) Len() int { return len(g.children) }
func (g *groups) Less(i, j int) bool {
	return g.children[i].before(g.children[j])
}
func (g *groups) Swap(i, j int) {
	g.children[i], g.children[j] = g.children[j], g.children[i]
	g.children[i].at, g.children[j].at = i, j
}
func (g *groups) Push(any) {} // children are added before the heap is made
func (g *groups) Pop() any {
	g.children = g.children[:len(g.children)-1]
	return nil
}

// leaves is the heap of candidates.
type leaves struct{ all []leaf }

type leaf struct {
	rank      rank
	candidate *candidate
}

func (l *leaves) Len() int           { return len(l.all) }
func (l *leaves) Less(i, j int) bool { return l.all[i].rank.less(l.all[j].rank) }
func (l *leaves) Swap(i, j int)      { l.all[i], l.all[j] = l.all[j], l.all[i] }
func (l *leaves) Push(any)           {} // leaves are added before the heap is made
func (l *leaves) Pop() any {
	l.all = l.all[:len(l.all)-1]
	return nil
}
