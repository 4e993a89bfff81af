package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// maxPending is how many changes a subscriber may be behind before it is told to look at everything instead.
const maxPending = 50_000

// Batch is what changed since a subscriber looked last, and the snapshot after it. Resync means that changes were left out: look at everything.
type Batch struct {
	*Snapshot
	Changes []Change
	Resync  bool
}

// Subscription tells one reader what changes. A slow reader never holds anybody up: what it misses comes as one Resync.
type Subscription struct {
	pub     *publisher
	wake    chan struct{}
	pending Batch // guarded by pub.mu
	closed  bool
}

// ErrClosed is the error of Next after Close.
var ErrClosed = errors.New("subscription is closed")

// publisher hands commits to subscribers and to those who wait for a commit number.
type publisher struct {
	mu   sync.Mutex
	subs map[*Subscription]bool
	next chan struct{} // closed and replaced at each commit
}

func (p *publisher) init() {
	p.subs = map[*Subscription]bool{}
	p.next = make(chan struct{})
}

// Subscribe starts with a Resync of the present snapshot, so that nothing falls between a first look and the first change.
func (s *Store) Subscribe() *Subscription {
	p := &s.pub
	p.mu.Lock()
	defer p.mu.Unlock()
	sub := &Subscription{pub: p, wake: make(chan struct{}, 1), pending: Batch{Snapshot: s.View(), Resync: true}}
	sub.wake <- struct{}{}
	p.subs[sub] = true
	return sub
}

// Each hands out all that there is, again and again, until ctx ends or the store is closed. It closes the subscription.
func (s *Subscription) Each(ctx context.Context, take func(Batch)) {
	defer s.Close()
	for {
		b, err := s.Next(ctx)
		if err != nil {
			return
		}
		take(b)
	}
}

// Next waits for a change and returns all that there is, or ctx's error, or ErrClosed.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return Batch{}, fmt.Errorf("wait for changes: %w", ctx.Err())
		}
		s.pub.mu.Lock()
		b, closed := s.pending, s.closed
		s.pending = Batch{}
		s.pub.mu.Unlock()
		if closed {
			return Batch{}, ErrClosed
		}
		if b.Snapshot != nil {
			return b, nil
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.pub.mu.Lock()
	defer s.pub.mu.Unlock()
	s.closed = true
	delete(s.pub.subs, s)
	s.poke()
}

func (s *Subscription) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (p *publisher) publish(v *Snapshot, changes []Change, resync bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for sub := range p.subs {
		b := &sub.pending
		b.Snapshot = v
		switch {
		case b.Resync:
		case resync || len(b.Changes)+len(changes) > maxPending:
			b.Resync, b.Changes = true, nil
		default:
			b.Changes = append(b.Changes, changes...)
		}
		sub.poke()
	}
	close(p.next)
	p.next = make(chan struct{})
}

// wait returns once view's number is at least n.
func (p *publisher) wait(ctx context.Context, n uint64, view func() *Snapshot) error {
	for {
		p.mu.Lock()
		next := p.next
		p.mu.Unlock()
		if view().N >= n {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for commit %d: %w", n, ctx.Err())
		}
	}
}
