package placement

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
)

// Running is a task of a service on its container instance. Stays: it counts, but is not stopped.
type Running struct {
	Task     arn.Task
	Instance *ecs.Instance
	Stays    bool
}

// ScaleIn returns up to n of a service's tasks in the order in which they should stop: each next one leaves the others as the strategies of r
// want them, as ECS documents it. Of what is spread, one stops where there are most (without a strategy: in the availability zone with the most
// tasks of the service, there on the container instance with the most); of what is packed, on the instance with the most room, so that it comes
// to be empty; at random, any. Of the tasks of an instance those go first that tasks yields first. r's Reserve is what each task gives back.
func ScaleIn(f Fleet, r Request, tasks iter.Seq[Running], n int) []arn.Task {
	leading, rest := levels(chain(r))
	p := &piles{Request: r, fields: lookups(leading), ranker: newRanker(rest), random: slices.ContainsFunc(rest, isRandom)}
	root := p.build(f, tasks)
	out := make([]arn.Task, 0, min(n, root.left))
	for len(out) < n && root.left > 0 {
		out = append(out, p.next(root))
	}
	return out
}

func isRandom(s types.PlacementStrategy) bool { return s.Type == types.PlacementStrategyTypeRandom }

// piles is a scale-in under way.
type piles struct {
	Request
	fields []*lookup // of the spreads that lead the chain
	ranker *ranker   // of the rest
	random bool
}

// pile are the tasks on the instances with one value of a leading spread; at the bottom, those on single instances.
type pile struct {
	count, left int // tasks, and those of them that may stop
	byValue     map[string]*pile
	children    pileHeap  // with tasks left, the highest count first
	shelves     shelfHeap // at the bottom: with tasks left, the one whose task stops next first
}

// shelf are the service's tasks on one instance. Its rank only falls while others lose tasks, so the first of a heap is right once its rank is
// computed anew and has not fallen.
type shelf struct {
	candidate
	rank  rank
	tasks []ticket
}

// ticket is a task that may stop, with its lot where strategy random says which.
type ticket struct {
	task arn.Task
	lot  int64
}

func (p *piles) build(f Fleet, tasks iter.Seq[Running]) *pile {
	by, order := map[arn.Instance]*shelf{}, []*shelf(nil)
	lots := uint64(0)
	for t := range tasks {
		s := by[t.Instance.ContainerInstanceArn]
		if s == nil {
			room := f.Room(p.Group, t.Instance)
			s = &shelf{candidate: candidate{
				instance: t.Instance, index: len(order), cpu: t.Instance.Registered.CPUUnits - room.Reserved.CPUUnits,
				mib: t.Instance.Registered.MemoryMiB - room.Reserved.MemoryMiB,
			}}
			by[t.Instance.ContainerInstanceArn], order = s, append(order, s)
		}
		s.group++
		p.ranker.seen(&s.candidate, 1)
		if !t.Stays {
			lots++
			s.tasks = append(s.tasks, ticket{t.Task, int64(mix(mix(p.Seed)^lots) >> 1)})
		}
	}
	root := &pile{}
	for _, s := range order {
		if p.random {
			slices.SortFunc(s.tasks, func(a, b ticket) int { return cmp.Compare(b.lot, a.lot) })
		}
		root.add(s, p.fields)
	}
	p.order(root)
	return root
}

// add counts an instance's tasks in a pile and in those below it.
func (p *pile) add(s *shelf, fields []*lookup) {
	p.count += s.group
	p.left += len(s.tasks)
	if len(fields) == 0 {
		if len(s.tasks) > 0 {
			p.shelves = append(p.shelves, s)
		}
		return
	}
	if p.byValue == nil {
		p.byValue = map[string]*pile{}
	}
	v := fields[0].value(s.instance)
	child := p.byValue[v]
	if child == nil {
		child = &pile{}
		p.byValue[v] = child
		p.children = append(p.children, child)
	}
	child.add(s, fields[1:])
}

// order makes heaps of what was added.
func (p *piles) order(x *pile) {
	x.children = slices.DeleteFunc(x.children, func(c *pile) bool { return c.left == 0 })
	for _, c := range x.children {
		p.order(c)
	}
	for _, s := range x.shelves {
		s.rank = p.rank(s)
	}
	heap.Init(&x.children)
	heap.Init(&x.shelves)
}

// next takes the task that stops next out of a pile.
func (p *piles) next(x *pile) (task arn.Task) {
	x.count--
	x.left--
	if len(x.shelves) == 0 {
		c := x.children[0]
		if task = p.next(c); c.left == 0 {
			heap.Pop(&x.children)
		} else {
			heap.Fix(&x.children, 0)
		}
		return task
	}
	s := x.shelves[0]
	for r := p.rank(s); r != s.rank; r = p.rank(s) {
		s.rank = r
		heap.Fix(&x.shelves, 0)
		s = x.shelves[0]
	}
	task, s.tasks = s.tasks[0].task, s.tasks[1:]
	s.group--
	s.cpu += p.Reserve.CPUUnits
	s.mib += p.Reserve.MemoryMiB
	p.ranker.seen(&s.candidate, -1)
	if len(s.tasks) == 0 {
		heap.Pop(&x.shelves)
	} else {
		s.rank = p.rank(s)
		heap.Fix(&x.shelves, 0)
	}
	return task
}

// rank is that of the instance for placement, by which the last is the first to lose a task.
func (p *piles) rank(s *shelf) rank {
	if p.random {
		s.turn = s.tasks[0].lot
	}
	return p.ranker.rank(&s.candidate)
}

type pileHeap []*pile

func (h pileHeap) Len() int           { return len(h) }
func (h pileHeap) Less(i, j int) bool { return h[i].count > h[j].count }
func (h pileHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *pileHeap) Push(any)          {} // piles are added before the heap is made
func (h *pileHeap) Pop() any          { *h = (*h)[:len(*h)-1]; return nil }

type shelfHeap []*shelf

func (h shelfHeap) Len() int           { return len(h) }
func (h shelfHeap) Less(i, j int) bool { return h[j].rank.less(h[i].rank) }
func (h shelfHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *shelfHeap) Push(any)          {} // shelves are added before the heap is made
func (h *shelfHeap) Pop() any          { *h = (*h)[:len(*h)-1]; return nil }
