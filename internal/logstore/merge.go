package logstore

import (
	"cmp"
	"container/heap"
	"slices"

	"berth/internal/logs"
)

// merge reads several streams in the order of their events' places. A stream is opened only when the time of its first event has come, and read in
// pieces, so that what is held is about the streams that go on at one time.
func (r *reader) merge(streams []logs.Stream) error {
	r.piece = pieceOf(len(streams))
	waiting := make([]*cursor, len(streams))
	for i, s := range streams {
		first := r.first(s.Number)
		waiting[i] = &cursor{stream: s, next: first, end: r.end(s.Number), opens: max(s.First, first.Time)}
	}
	slices.SortFunc(waiting, func(a, b *cursor) int {
		return cmp.Or(cmp.Compare(a.opens, b.opens), cmp.Compare(a.stream.Number, b.stream.Number))
	})
	var open cursors
	for len(waiting) > 0 || len(open) > 0 {
		if len(open) == 0 || len(waiting) > 0 && waiting[0].opens <= open[0].piece[0].Place.Time {
			c := waiting[0]
			waiting = waiting[1:]
			if err := r.fill(c); err != nil {
				return err
			}
			if len(c.piece) > 0 {
				heap.Push(&open, c)
			}
			continue
		}
		c := open[0]
		if !r.yield(c.piece[0]) {
			return nil
		}
		c.piece = c.piece[1:]
		if len(c.piece) == 0 {
			if err := r.fill(c); err != nil {
				return err
			}
		}
		if len(c.piece) == 0 {
			heap.Pop(&open)
		} else {
			heap.Fix(&open, 0)
		}
	}
	return nil
}

// A piece of a stream has at most so many events and, but for the last of them, bytes. All streams may go on at one time: of many the pieces are smaller.
const (
	pieceEvents = 64
	pieceBytes  = 16 << 10
	piecesBytes = 16 << 20 // of all streams
)

// pieceOf is how many bytes the piece of one of so many streams has.
func pieceOf(streams int) int { return min(pieceBytes, max(piecesBytes/streams, 1)) }

// cursor is how far a stream is read.
type cursor struct {
	stream logs.Stream
	opens  logs.Time // no event that is asked for is older
	next   logs.Place
	end    logs.Place
	piece  []logs.Stored // read, and not handed out
}

// fill reads the next piece; it is empty at the end.
func (r *reader) fill(c *cursor) error {
	c.piece = c.piece[:0:0]
	size := 0
	for ok := r.it.SeekGE(eventKey(r.q.Group, c.next)); ok && len(c.piece) < pieceEvents && size < r.piece; ok = r.it.Next() {
		p := place(r.it.Key())
		if p.Stream != c.stream.Number || p.Compare(c.end) >= 0 {
			break
		}
		e, err := decodeEvent(c.stream.Name, p, r.it.Value())
		if err == nil {
			err = r.goOn()
		}
		if err != nil {
			return err
		}
		c.piece = append(c.piece, e)
		size += len(e.Message) + eventCost
		c.next = p
		c.next.Seq++
	}
	return r.it.Error()
}

// cursors are a heap: the one with the earliest event is first.
type cursors []*cursor

func (c cursors) Len() int           { return len(c) }
func (c cursors) Less(i, j int) bool { return c[i].piece[0].Place.Compare(c[j].piece[0].Place) < 0 }
func (c cursors) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }

// Push and Pop are for package heap.
func (c *cursors) Push(x any) { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}
