package placement

import "iter"

// Survey yields what every instance of the fleet says to one task of the request, with what is on it, in one pass.
func Survey(f Fleet, r Request) iter.Seq2[Room, Verdict] {
	return func(yield func(Room, Verdict) bool) {
		k, c := newChecker(f, r), candidate{}
		for room := range f.Rooms(r.Group) {
			k.fill(&c, room, 0)
			if !yield(room, k.verdict(&c)) {
				return
			}
		}
	}
}
