package pipenet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// capacity is how many bytes a direction holds unread before its writer waits.
const capacity = 256 << 10

// stream is one direction of a connection: segments on their way from its writer to its reader. Whoever waits, waits for change.
type stream struct {
	delay func() time.Duration
	turn  chan struct{} // holds a token while a Write is at work, so that two do not mix

	mu            sync.Mutex
	change        chan struct{} // closed and replaced at every change
	segments      []segment
	size          int // bytes in segments
	last          time.Time
	end           *time.Time // when the end of the stream arrives; nil while the writer is open
	readerClosed  bool
	lost          bool // cut
	readDeadline  time.Time
	writeDeadline time.Time
}

// segment is what one step of a Write put on its way.
type segment struct {
	data    []byte
	arrives time.Time
}

func newStream(delay func() time.Duration) *stream {
	return &stream{delay: delay, turn: make(chan struct{}, 1), change: make(chan struct{})}
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		now := time.Now()
		if err := s.readable(now); err != nil || len(p) == 0 {
			return 0, err
		}
		next := s.readDeadline
		switch {
		case len(s.segments) > 0 && !s.segments[0].arrives.After(now):
			return s.take(p, now), nil
		case len(s.segments) > 0:
			next = earlier(next, s.segments[0].arrives)
		case s.end != nil && !s.end.After(now):
			return 0, io.EOF
		case s.end != nil:
			next = earlier(next, *s.end)
		}
		s.wait(next, nil)
	}
}

// readable says why a read cannot even wait.
func (s *stream) readable(now time.Time) error {
	switch {
	case s.readerClosed:
		return net.ErrClosed
	case s.lost:
		return syscall.ECONNRESET
	case passed(s.readDeadline, now):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// take moves what has arrived into p.
func (s *stream) take(p []byte, now time.Time) (n int) {
	for n < len(p) && len(s.segments) > 0 && !s.segments[0].arrives.After(now) {
		first := &s.segments[0]
		k := copy(p[n:], first.data)
		n += k
		if first.data = first.data[k:]; len(first.data) == 0 {
			s.segments = s.segments[1:]
		}
	}
	s.size -= n
	s.changed()
	return n
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for mine := false; ; {
		now := time.Now()
		if err := s.writable(now); err != nil || n == len(p) {
			if mine {
				<-s.turn
			}
			return n, err
		}
		switch {
		case !mine:
			mine = s.wait(s.writeDeadline, s.turn)
		case s.size == capacity:
			s.wait(s.writeDeadline, nil)
		default:
			n += s.put(p[n:], now)
		}
	}
}

// writable says why a write cannot even wait.
func (s *stream) writable(now time.Time) error {
	switch {
	case s.end != nil:
		return net.ErrClosed
	case s.lost:
		return syscall.ECONNRESET
	case s.readerClosed:
		return syscall.EPIPE
	case passed(s.writeDeadline, now):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// put sends as much of p as there is room for.
func (s *stream) put(p []byte, now time.Time) int {
	k := min(len(p), capacity-s.size)
	s.segments = append(s.segments, segment{append([]byte(nil), p[:k]...), s.arrival(now)})
	s.size += k
	s.changed()
	return k
}

// arrival is when something sent now arrives: never before what was sent earlier.
func (s *stream) arrival(now time.Time) time.Time {
	if at := now.Add(s.delay()); at.After(s.last) {
		s.last = at
	}
	return s.last
}

// closeWriting puts the end of the stream on its way.
func (s *stream) closeWriting() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil {
		return net.ErrClosed
	}
	at := s.arrival(time.Now())
	s.end = &at
	s.changed()
	return nil
}

// closeReading drops what has not been read: writers are told EPIPE.
func (s *stream) closeReading() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readerClosed {
		return net.ErrClosed
	}
	s.readerClosed = true
	s.segments, s.size = nil, 0
	s.changed()
	return nil
}

// cut loses what is on its way.
func (s *stream) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
	s.segments, s.size = nil, 0
	s.changed()
}

// over says that both ends have closed this direction.
func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readerClosed && s.end != nil
}

func (s *stream) setReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readerClosed {
		return net.ErrClosed
	}
	s.readDeadline = t
	s.changed()
	return nil
}

func (s *stream) setWriteDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeDeadline = t
	s.changed()
	return nil
}

func (s *stream) changed() {
	close(s.change)
	s.change = make(chan struct{})
}

// wait lets go of the lock until something changes, until comes (the zero time never does), or take, if given, takes a token; it says
// whether it did.
func (s *stream) wait(until time.Time, take chan<- struct{}) (taken bool) {
	change := s.change
	s.mu.Unlock()
	defer s.mu.Lock()
	var due <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-change:
	case <-due:
	case take <- struct{}{}:
		return true
	}
	return false
}

func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !deadline.After(now) }

// earlier is the earlier of two times, of which the zero time means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
