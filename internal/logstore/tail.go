package logstore

import (
	"sync"

	"berth/internal/logs"
)

// Tails hand events to those who follow groups, as soon as they are written. The zero value is ready.
type Tails struct {
	mu      sync.RWMutex
	byGroup map[string][]*Tail // by Group.ID
}

// Following says what a tail is for.
type Following struct {
	Groups []string // Group.ID
	// Wants says whether an event is wanted; nil wants all. It is called by those who write, so it must be quick.
	Wants func(group, stream string, e logs.Event) bool
	// MostEvents and MostBytes bound what waits to be taken: beyond that the oldest are lost.
	MostEvents, MostBytes int
}

// Tail is what one follower has not taken yet.
type Tail struct {
	Following
	// Ready gets a value when there is something to take, and now and then when there is nothing any more.
	Ready chan struct{}

	mu    sync.Mutex
	queue []Tailed
	bytes int
	lost  int
}

// Tailed is an event that a tail hands out.
type Tailed struct {
	logs.Event
	Group    string // Group.ID
	Stream   string
	Ingested logs.Time
}

// Follow begins a tail; whoever began it ends it with Leave.
func (t *Tails) Follow(f Following) *Tail {
	tail := &Tail{Following: f, Ready: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byGroup == nil {
		t.byGroup = map[string][]*Tail{}
	}
	for _, g := range f.Groups {
		t.byGroup[g] = append(t.byGroup[g], tail)
	}
	return tail
}

// Leave ends a tail.
func (t *Tails) Leave(tail *Tail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, g := range tail.Groups {
		var left []*Tail // a new slice: Publish may hold the old one
		for _, other := range t.byGroup[g] {
			if other != tail {
				left = append(left, other)
			}
		}
		if t.byGroup[g] = left; left == nil {
			delete(t.byGroup, g)
		}
	}
}

// Publish tells the tails of events that are written. It never waits for a follower.
func (t *Tails) Publish(s logs.StreamName, events []logs.Event, at logs.Time) {
	t.mu.RLock()
	tails := t.byGroup[s.Group]
	t.mu.RUnlock()
	for _, tail := range tails {
		tail.put(s, events, at)
	}
}

func (t *Tail) put(s logs.StreamName, events []logs.Event, at logs.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	came := false
	for _, e := range events {
		if t.Wants != nil && !t.Wants(s.Group, s.Name, e) {
			continue
		}
		t.queue = append(t.queue, Tailed{Event: e, Group: s.Group, Stream: s.Name, Ingested: at})
		t.bytes += len(e.Message)
		came = true
	}
	for len(t.queue) > t.MostEvents || t.bytes > t.MostBytes {
		t.bytes -= len(t.queue[0].Message)
		t.queue = t.queue[1:]
		t.lost++
	}
	if came {
		t.signal()
	}
}

func (t *Tail) signal() {
	select {
	case t.Ready <- struct{}{}:
	default:
	}
}

// Take takes at most so many events and bytes of messages, but one event always, the oldest first, and says how many were lost before them. Where more are
// left, Ready says so.
func (t *Tail) Take(most, mostBytes int) (events []Tailed, lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, size := 0, 0
	for n < min(most, len(t.queue)) && (n == 0 || size+len(t.queue[n].Message) <= mostBytes) {
		size += len(t.queue[n].Message)
		n++
	}
	events, lost = append(events, t.queue[:n]...), t.lost
	t.bytes -= size
	t.queue, t.lost = t.queue[n:], 0
	if len(t.queue) == 0 {
		t.queue = nil // its array held all that was ever waiting
	} else {
		t.signal()
	}
	return events, lost
}
