// Package reconcile is the one loop behind every controller: changed keys go into a queue, Reconcile looks at each again, and errors are
// tried again with a back-off. It is level-triggered: a key that is added twice is looked at once.
package reconcile

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Loop looks at keys that something has happened to. K is the identity of what is reconciled.
type Loop[K comparable] struct {
	Name string
	// Reconcile looks at the key and does what is needed. It returns when to look again at the latest (zero: when something changes).
	// An error is logged and tried again with a growing pause.
	Reconcile func(ctx context.Context, key K) (again time.Time, err error)
	// Every is the least time between two looks at one key; the first event is served at once. Default 20 ms.
	Every   time.Duration
	Workers int // default 4
	Log     *slog.Logger
	// Observe is told of every look, for the metrics. nil tells nobody.
	Observe func(loop string, took time.Duration, err error)

	once  sync.Once
	mu    sync.Mutex
	keys  map[K]*entry
	ready []K
	wake  chan struct{} // size 1
}

// entry is a key's place in the loop.
type entry struct {
	queued  bool // in ready
	busy    bool // a worker looks at it
	dirty   bool // something happened while it was busy
	last    time.Time
	timer   *time.Timer
	due     time.Time // when timer fires
	failing int
}

// The pauses after errors.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 10 * time.Second
)

func (l *Loop[K]) init() {
	l.once.Do(func() {
		l.keys, l.wake = map[K]*entry{}, make(chan struct{}, 1)
		if l.Every == 0 {
			l.Every = 20 * time.Millisecond
		}
		if l.Workers == 0 {
			l.Workers = 4
		}
		if l.Log == nil {
			l.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Add asks for a look at keys. It never waits.
func (l *Loop[K]) Add(keys ...K) {
	l.init()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		l.add(k)
	}
}

func (l *Loop[K]) add(k K) {
	e := l.keys[k]
	if e == nil {
		e = &entry{}
		l.keys[k] = e
	}
	switch wait := l.Every - time.Since(e.last); {
	case e.queued:
	case e.busy:
		e.dirty = true
	case wait > 0 && !e.last.IsZero():
		l.later(k, e, time.Now().Add(wait))
	default:
		l.push(k, e)
	}
}

func (l *Loop[K]) push(k K, e *entry) {
	if e.timer != nil {
		e.timer.Stop()
		e.timer, e.due = nil, time.Time{}
	}
	e.queued = true
	l.ready = append(l.ready, k)
	l.poke()
}

// later queues the key at a time; the earliest such time counts.
func (l *Loop[K]) later(k K, e *entry, at time.Time) {
	if e.timer != nil {
		if !at.Before(e.due) {
			return
		}
		e.timer.Stop()
	}
	e.due = at
	e.timer = time.AfterFunc(time.Until(at), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.keys[k] == e && e.due.Equal(at) && !e.queued {
			e.timer, e.due = nil, time.Time{}
			if e.busy {
				e.dirty = true
			} else {
				l.push(k, e)
			}
		}
	})
}

// Depth is how many keys wait for a look that is due.
func (l *Loop[K]) Depth() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ready)
}

func (l *Loop[K]) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run looks at keys until ctx ends and waits for the looks that are under way. What is queued then is forgotten.
func (l *Loop[K]) Run(ctx context.Context) error {
	l.init()
	g, ctx := errgroup.WithContext(ctx)
	for range l.Workers {
		g.Go(func() error {
			for {
				k, ok := l.next(ctx)
				if !ok {
					return nil
				}
				l.look(ctx, k)
			}
		})
	}
	err := g.Wait()
	l.clear()
	return err
}

func (l *Loop[K]) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.keys {
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	l.keys, l.ready = map[K]*entry{}, nil
}

func (l *Loop[K]) next(ctx context.Context) (k K, ok bool) {
	for {
		l.mu.Lock()
		if len(l.ready) > 0 && ctx.Err() == nil {
			k = l.ready[0]
			l.ready = l.ready[1:]
			e := l.keys[k]
			e.queued, e.busy = false, true
			more := len(l.ready) > 0
			l.mu.Unlock()
			if more {
				l.poke() // another worker
			}
			return k, true
		}
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return k, false
		case <-l.wake:
		}
	}
}

func (l *Loop[K]) look(ctx context.Context, k K) {
	began := time.Now()
	again, err := l.Reconcile(ctx, k)
	if l.Observe != nil {
		l.Observe(l.Name, time.Since(began), err)
	}
	if err != nil && ctx.Err() == nil {
		l.Log.Warn("reconcile failed, will try again", "loop", l.Name, "key", k, "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.keys[k]
	if e == nil {
		return
	}
	e.busy, e.last = false, began
	dirty := e.dirty
	e.dirty = false
	switch {
	case err != nil:
		e.failing++
		l.later(k, e, time.Now().Add(pause(e.failing)))
		return
	case dirty:
		l.add(k)
	case again.IsZero():
		if e.timer == nil {
			l.forget(k, e)
		}
	default:
		l.later(k, e, again)
	}
	e.failing = 0
}

// forget drops a key that nothing is due for, so that the loop holds live keys only. The pace of its next looks is kept by a short memory.
func (l *Loop[K]) forget(k K, e *entry) {
	at := e.last
	time.AfterFunc(2*l.Every, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.keys[k] == e && !e.busy && !e.queued && e.timer == nil && e.last.Equal(at) {
			delete(l.keys, k)
		}
	})
}

func pause(failing int) time.Duration {
	d := min(firstPause<<min(failing-1, 10), lastPause)
	return d/2 + rand.N(d/2+1)
}
