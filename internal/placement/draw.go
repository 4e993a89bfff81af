package placement

import "github.com/aws/aws-sdk-go-v2/service/ecs/types"

// The bounds of drawing by lot: below so many instances a look at all of them costs no more, and after so many draws without a place the
// fleet is nearly full, or few of its instances are right.
const (
	drawFrom = 32
	drawMost = 32 // and as many again as there are tasks
)

// draw places a few tasks of strategy random without a look at every instance: it draws instances by lot until one takes the task, so that each
// that can has the same chance, as when all are looked at. It gives up, ok being false, where that takes too many draws or tasks would be
// refused: somebody has to say why.
func (k *checker) draw() (p Plan, ok bool) {
	strategies := chain(k.Request)
	if len(strategies) != 1 || strategies[0].Type != types.PlacementStrategyTypeRandom || k.Zone != "" || k.Count > drawMost {
		return p, false
	}
	n, room := k.fleet.Draw(k.Group)
	if n < drawFrom {
		return p, false
	}
	drawn := map[int]*candidate{}
	for try := range drawMost + 2*k.Count {
		i := int(mix(mix(k.Seed)^uint64(try)) % uint64(n))
		c := drawn[i]
		if c == nil {
			r, is := room(i)
			if !is {
				continue
			}
			c = new(k.candidate(r, i))
			drawn[i] = c
		}
		if !k.fits(c) {
			continue
		}
		k.take(c)
		if p.Placed = append(p.Placed, c.instance.ContainerInstanceArn); len(p.Placed) == k.Count {
			return p, true
		}
	}
	return Plan{}, false
}
