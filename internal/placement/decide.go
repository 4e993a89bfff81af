package placement

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// Decide places the tasks of a request, one after another, each where the strategies want it after those before. The cost is one look at
// every instance and the logarithm of their number for each task; of a few tasks that go anywhere, some looks for each of them.
func Decide(f Fleet, r Request) Plan {
	k := newChecker(f, r)
	if p, ok := k.draw(); ok {
		return p
	}
	all := k.candidates()
	spread, rest := levels(chain(r))
	fields := lookups(spread)
	ranker := newRanker(rest)
	tree := &group{}
	for i := range all {
		ranker.seen(&all[i], all[i].group)
	}
	var full []*candidate
	for i := range all {
		if c := &all[i]; k.fits(c) {
			tree.add(c, fields, ranker)
		} else if c.group > 0 {
			full = append(full, c)
		}
	}
	for _, c := range full {
		tree.weigh(c, fields)
	}
	tree.init()
	var p Plan
	for len(p.Placed) < r.Count {
		if !tree.pick(ranker, func(c *candidate) bool {
			if !k.fits(c) {
				return false
			}
			k.take(c)
			ranker.seen(c, 1)
			p.Placed = append(p.Placed, c.instance.ContainerInstanceArn)
			return true
		}) {
			break
		}
	}
	if p.Refused = r.Count - len(p.Placed); p.Refused > 0 {
		p.explain(k, all)
	}
	return p
}

// weigh counts the tasks of an instance that takes no more in the groups that it is of.
func (g *group) weigh(c *candidate, fields []*lookup) {
	for ; ; fields = fields[1:] {
		g.count += int64(c.group)
		if len(fields) == 0 {
			return
		}
		child := g.byValue[fields[0].value(c.instance)]
		if child == nil {
			return
		}
		g = child
	}
}

// chain is the request's strategies, or the default ones.
func chain(r Request) []types.PlacementStrategy {
	switch {
	case len(r.Strategy) > 0:
		return r.Strategy
	case r.Service:
		return []types.PlacementStrategy{
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("attribute:" + ecs.AttributeZone)},
			{Type: types.PlacementStrategyTypeSpread, Field: aws.String("instanceId")},
		}
	}
	return []types.PlacementStrategy{{Type: types.PlacementStrategyTypeRandom}}
}

// explain counts the reasons of all instances and finds the closest one.
func (p *Plan) explain(k *checker, all []candidate) {
	counts := map[Reason]int{}
	for i := range all {
		v := k.verdict(&all[i])
		counts[v.Reason]++
		if i == 0 || v.Reason > p.Closest.Reason || v.Reason == p.Closest.Reason && v.Short < p.Closest.Short {
			p.Closest = v
		}
	}
	for r, n := range counts {
		p.Reasons = append(p.Reasons, Count{r, n})
	}
	slices.SortFunc(p.Reasons, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Instances, a.Instances), cmp.Compare(a.Reason, b.Reason))
	})
}

// Explain returns what every instance says to one task of the request, in the fleet's order.
func Explain(f Fleet, r Request) []Verdict {
	k := newChecker(f, r)
	all := k.candidates()
	out := make([]Verdict, len(all))
	for i := range all {
		out[i] = k.verdict(&all[i])
	}
	return out
}

// Check says what one instance of the fleet says to one task of the request, at the cost of one look.
func Check(f Fleet, r Request, i *ecs.Instance) Verdict { return NewCheck(r)(f, i) }

// NewCheck is Check for many instances and one request.
func NewCheck(r Request) func(Fleet, *ecs.Instance) Verdict {
	k := newChecker(nil, r)
	return func(f Fleet, i *ecs.Instance) Verdict {
		k.fleet = f
		c := k.candidate(f.Room(r.Group, i), 0)
		return k.verdict(&c)
	}
}

// Populated reports whether the fleet has an ACTIVE instance. Without one there is nothing to try.
func Populated(f Fleet) bool {
	for r := range f.Rooms("") {
		if r.Instance.Status == ecs.Active {
			return true
		}
	}
	return false
}
