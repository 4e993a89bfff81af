package awslogs

import (
	"context"
	"strings"
	"sync"
	"time"

	"berth/internal/agent"
)

// event is what goes into a stream: a line, or several. mark is the last of its lines.
type event struct {
	at   time.Time
	text string
	mark agent.LogMark
}

// What waits to be sent of one container, besides what is under way. A line that finds no room holds up the reading of the log, and the
// container in mode blocking only.
const (
	mostEvents = 4096
	mostBytes  = 256 << 10
	eventBytes = 26 // that an event counts besides its text
	mostEvent  = 256<<10 - eventBytes
)

// queue makes events of lines, and keeps them until they are sent.
type queue struct {
	options
	ready chan struct{} // there is something to take
	room  chan struct{} // there is room again

	mu     sync.Mutex
	events []event
	bytes  int
	full   bool   // a line waits for room
	held   *event // one that may have more lines
	lines  strings.Builder
	heldAt time.Time
	last   agent.LogMark // of the last line that came
}

func newQueue(o options, from agent.LogMark) *queue {
	return &queue{options: o, ready: make(chan struct{}, 1), room: make(chan struct{}, 1), last: from}
}

// add takes a line in, and waits for room.
func (q *queue) add(ctx context.Context, l agent.LogLine) error {
	for !q.fits(len(l.Text)) {
		select {
		case <-q.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.At.Equal(q.last.At) {
		q.last.Lines++
	} else {
		q.last = agent.LogMark{At: l.At, Lines: 1}
	}
	text := strings.ToValidUTF8(string(l.Text), "\ufffd")
	if q.begins == nil {
		q.push(event{l.At, text, q.last})
		return nil
	}
	if q.held != nil && (q.begins.MatchString(text) || q.lines.Len()+len(text) > mostEvent) {
		q.release()
	}
	if q.held == nil {
		q.held, q.heldAt = &event{at: l.At}, time.Now()
		q.lines.Reset()
	} else {
		q.lines.WriteByte('\n')
	}
	q.lines.WriteString(text)
	q.held.mark = q.last
	return nil
}

// fits says whether there is room for a line, which waits where there is none. There always is when nothing waits.
func (q *queue) fits(size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.full = len(q.events) > 0 && (len(q.events) >= mostEvents || q.bytes+size+eventBytes > mostBytes)
	return !q.full
}

// isFull says whether a line waits for room.
func (q *queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.full
}

// push puts an event to those that wait. Without a text there is nothing to send, as on AWS. q.mu is held.
func (q *queue) push(e event) {
	if strings.TrimSpace(e.text) == "" {
		return
	}
	q.events = append(q.events, e)
	q.bytes += len(e.text) + eventBytes
	signal(q.ready)
}

// release ends the event that may have more lines. q.mu is held.
func (q *queue) release() {
	if q.held == nil {
		return
	}
	e := *q.held
	e.text, q.held = q.lines.String(), nil
	q.push(e)
}

// releaseOld ends an event that has waited long enough for more lines, or whatever waits.
func (q *queue) releaseOld(all bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held != nil && (all || time.Since(q.heldAt) >= q.hold) {
		q.release()
	}
}

// take takes what waits.
func (q *queue) take() []event {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.events
	q.events, q.bytes, q.full = nil, 0, false
	signal(q.room)
	return all
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
