package frontdoor

import (
	"context"
	"sync"
	"time"
)

// class is how urgent a request is; a lower one goes first.
type class int

const (
	reports class = iota // what agents say: the state of the installation depends on it
	writes
	reads
	classes
)

func (c class) String() string { return [classes]string{"reports", "writes", "reads"}[c] }

func classOf(o Operation) class {
	switch {
	case o.Frequent:
		return reports
	case o.Unsigned: // it waits for others, as writes do
		return writes
	case o.ReadOnly, o.Reads:
		return reads
	}
	return writes
}

// How many requests of a class wait for a seat at most, and for how long.
func queueOf(c class) (length int, patience time.Duration) {
	switch c {
	case reports:
		return 4096, 10 * time.Second
	case writes:
		return 1024, 5 * time.Second
	}
	return 512, 2 * time.Second
}

// seats bounds how many requests are served at once. A free seat goes to the most urgent class that waits and has not all its seats, and
// within a class to the callers in turn.
type seats struct {
	mu    sync.Mutex
	free  int
	lanes [classes]lane
}

// lane is one class's part.
type lane struct {
	seats, taken int
	queue        queue
	patience     time.Duration
	waited       uint64
	waitedFor    time.Duration
}

func newSeats(l Limits) *seats {
	s := &seats{free: l.Reports}
	for c, n := range [classes]int{l.Reports, l.Writes, l.Reads} {
		length, patience := queueOf(class(c))
		s.lanes[c] = lane{seats: n, patience: patience, queue: queue{most: length, lines: map[string]*line{}}}
	}
	return s
}

// take takes a seat, and waits for it where it must. It reports false where it got none, and why; if ctx ends there is nobody to tell.
func (s *seats) take(ctx context.Context, c class, who string) (reason, bool) {
	s.mu.Lock()
	l := &s.lanes[c]
	if s.free > 0 && l.taken < l.seats { // then nobody of this class waits
		s.free--
		l.taken++
		s.mu.Unlock()
		return 0, true
	}
	w := l.queue.join(who)
	if w == nil {
		s.mu.Unlock()
		return queueFull, false
	}
	l.waited++
	s.mu.Unlock()
	return waitedTooLong, s.wait(ctx, c, w)
}

func (s *seats) wait(ctx context.Context, c class, w *waiter) bool {
	l := &s.lanes[c]
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	select {
	case <-w.seated:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.waitedFor += time.Since(began)
	select {
	case <-w.seated: // maybe in the same moment
		return true
	default:
		l.queue.quit(w)
		return false
	}
}

// leave gives a seat back, which somebody else may get at once.
func (s *seats) leave(c class) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.lanes[c].taken--
	for i := range s.lanes {
		l := &s.lanes[i]
		for s.free > 0 && l.taken < l.seats && l.queue.waiting > 0 {
			s.free--
			l.taken++
			close(l.queue.next().seated)
		}
	}
}

func (s *seats) load() []ClassLoad {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ClassLoad
	for c := range s.lanes {
		l := &s.lanes[c]
		all = append(all, ClassLoad{class(c).String(), l.seats, l.taken, l.queue.waiting, l.waited, l.waitedFor})
	}
	return all
}
