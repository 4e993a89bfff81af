// Package stream tells readers the events of published commits for as long as they read: one line of JSON each, in EventBridge's form.
//
// Every line is made once and kept for a while, for all readers and for those who come back. A reader is a place in these lines: it holds
// nobody up, and one whose next line is gone already is cut off. While nobody reads, and nobody has just left, nothing is made and a
// commit costs nothing.
package stream

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/events"
	"berth/internal/state"
)

// Config is what a hub is made of. Zero fields take the defaults in their comments.
type Config struct {
	State     *state.Store
	Log       *slog.Logger
	KeepAlive time.Duration // 15 s: a blank line where nothing happens for so long
	Linger    time.Duration // 5 min: how long lines are still made after the last reader has left, so that it can come back
	MaxLines  int           // 50,000 lines are kept
	MaxBytes  int           // 64 MiB of them
}

// Hub makes the lines and serves the readers.
type Hub struct {
	Config
	maker *events.Maker

	mu      sync.Mutex
	tape    tape
	readers int
	idle    *time.Timer
	stop    context.CancelFunc // ends the pump; nil while there is none
	want    chan struct{}      // size 1: a reader waits for the pump
	over    chan struct{}      // closed when nobody is served any more
	end     sync.Once          // closes over
}

// New returns a hub. It serves while Run runs.
func New(c Config) *Hub {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 15 * time.Second
	}
	if c.Linger == 0 {
		c.Linger = 5 * time.Minute
	}
	if c.MaxLines == 0 {
		c.MaxLines = 50_000
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 64 << 20
	}
	h := &Hub{Config: c, maker: events.NewMaker(), want: make(chan struct{}, 1), over: make(chan struct{})}
	h.tape.init(c.MaxLines, c.MaxBytes)
	return h
}

// Readers is how many read now.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers
}

// End gives every reader a last line and takes no more. A server that shuts down calls it first, or it would wait for the readers.
func (h *Hub) End() { h.end.Do(func() { close(h.over) }) }

// Run makes lines while there are readers, until ctx ends; that is the End as well.
func (h *Hub) Run(ctx context.Context) error {
	defer h.End()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.want:
		}
		h.pump(ctx)
	}
}

// enter counts a reader in and sees that lines are made.
func (h *Hub) enter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers++
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
	if h.stop == nil {
		select {
		case h.want <- struct{}{}:
		default:
		}
	}
}

// leave counts it out. The last one leaves a pump behind that ends after a while.
func (h *Hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers--; h.readers > 0 {
		return
	}
	h.idle = time.AfterFunc(h.Linger, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.readers == 0 && h.stop != nil {
			h.stop()
			h.stop = nil
			h.tape.reset()
		}
	})
}

// pump turns commits into lines until ctx ends or nobody reads any more.
func (h *Hub) pump(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h.mu.Lock()
	h.stop = cancel
	h.mu.Unlock()
	h.State.Subscribe().Each(ctx, h.take)
}

// chunk is how many lines are made before readers get them.
const chunk = 500

// take makes the lines of a batch of commits.
func (h *Hub) take(b state.Batch) {
	if b.Resync {
		h.resync(b.N)
		return
	}
	at := time.Now()
	view := events.View{Definition: b.Definitions.Get, Held: func(i arn.Instance) (ecs.Resources, int, int) {
		u := b.Tasks.Usage(i)
		return u.Reserved, u.Running, u.Pending
	}}
	var lines []line
	for _, c := range b.Changes {
		for _, e := range h.maker.Of(c.Old, c.New, view, at) {
			lines = append(lines, h.line(e, b.N))
		}
		if len(lines) >= chunk {
			h.add(lines, 0)
			lines = nil
		}
	}
	h.add(lines, b.N)
}

// resync goes on at commit n. Where that is not the one that the tape ends with, something was left out.
func (h *Hub) resync(n uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if from := h.tape.commit; h.tape.ready && from != n {
		h.tape.add([]line{h.note(events.Missed, events.Remark{
			Commit: n, After: from, Reason: "the replica could not keep up with the commits, or loaded them anew",
		})})
	}
	if !h.tape.ready || h.tape.commit != n {
		h.tape.begin(n)
	}
}

// add appends lines; with done, all of that commit and before are there.
func (h *Hub) add(lines []line, done uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.tape.ready {
		return // the last reader left meanwhile
	}
	h.tape.add(lines)
	if done > 0 {
		h.tape.commit = done
	}
}

func (h *Hub) line(e events.Event, n uint64) line {
	text, err := json.Marshal(e)
	if err != nil { // only texts and numbers are in it
		panic(err)
	}
	return line{n: n, cluster: e.Cluster, text: append(text, '\n')}
}

// note is a line for readers of every cluster.
func (h *Hub) note(kind string, r events.Remark) line {
	return h.line(events.Note(kind, time.Now(), r), r.Commit)
}
