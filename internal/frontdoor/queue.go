package frontdoor

import "slices"

// queue is where requests of a class wait. Each caller has a line in it, and the lines are served in turn, so that who sends a thousand
// requests waits behind those of a thousand others, and not they behind his.
type queue struct {
	most    int
	waiting int
	lines   map[string]*line // those in which somebody waits
	turns   []*line          // the same, in the order in which they are served
}

type line struct {
	who     string
	waiters []*waiter
}

// waiter is a request that waits.
type waiter struct {
	line   *line
	seated chan struct{} // closed when it has a seat
}

// join adds a waiter; nil where there is no room: a caller may have a quarter of the queue.
func (q *queue) join(who string) *waiter {
	l := q.lines[who]
	if q.waiting >= q.most || l != nil && len(l.waiters) >= max(q.most/4, 1) {
		return nil
	}
	if l == nil {
		l = &line{who: who}
		q.lines[who] = l
		q.turns = append(q.turns, l)
	}
	w := &waiter{line: l, seated: make(chan struct{})}
	l.waiters = append(l.waiters, w)
	q.waiting++
	return w
}

// next removes the waiter whose turn it is. There must be one.
func (q *queue) next() *waiter {
	l := q.turns[0]
	q.turns = q.turns[1:]
	w := l.waiters[0]
	l.waiters = l.waiters[1:]
	q.waiting--
	if len(l.waiters) > 0 {
		q.turns = append(q.turns, l)
	} else {
		delete(q.lines, l.who)
	}
	return w
}

// quit removes a waiter that waits no more.
func (q *queue) quit(w *waiter) {
	l := w.line
	l.waiters = slices.DeleteFunc(l.waiters, func(o *waiter) bool { return o == w })
	q.waiting--
	if len(l.waiters) == 0 {
		delete(q.lines, l.who)
		q.turns = slices.DeleteFunc(q.turns, func(o *line) bool { return o == l })
	}
}
