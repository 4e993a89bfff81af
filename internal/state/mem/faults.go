package mem

import (
	"context"
	"fmt"
	"time"

	"berth/internal/state"
)

// Outcome is what becomes of a Commit that meets a fault.
type Outcome int

// The outcomes.
const (
	Refused     Outcome = iota // the comparison fails, nothing is applied
	Failed                     // a definite error, Fault.Err: nothing is applied, the term goes on
	LostAnswer                 // it is applied, but the caller gets ErrUnknown
	LostRequest                // it is not applied, and the caller gets ErrUnknown
	Late                       // the caller gets ErrUnknown at once; the request arrives after Fault.After, and may then be refused
	Slow                       // it is applied and answered after Fault.After
)

// Fault is what one Commit meets.
type Fault struct {
	Outcome Outcome
	Err     error         // of Failed
	After   time.Duration // of Late and Slow
}

// Faults makes one replica's backend fail on demand. The zero value never fails.
type Faults struct {
	backend *Backend
	next    []Fault // all guarded by the cluster's lock
	head    error
	cut     bool
}

// Next gives each of the coming commits of this replica a fault, in order.
func (f *Faults) Next(faults ...Fault) {
	f.backend.cluster.mu.Lock()
	defer f.backend.cluster.mu.Unlock()
	f.next = append(f.next, faults...)
}

// Head makes Head fail with err until it is called with nil.
func (f *Faults) Head(err error) {
	f.backend.cluster.mu.Lock()
	defer f.backend.cluster.mu.Unlock()
	f.head = err
}

// ExpireLease ends this replica's lease, as if the cluster had not heard of it for too long, and lets it know.
func (f *Faults) ExpireLease() {
	f.backend.cluster.mu.Lock()
	defer f.backend.cluster.mu.Unlock()
	if t := f.backend.term; t != nil {
		f.backend.cluster.depose(t)
		t.end()
	}
}

// Cut takes the cluster out of this replica's reach: what it asks waits for its ctx, and its lease ends after Lease without it knowing.
// A killed or sleeping process looks like this to the others.
func (f *Faults) Cut() {
	c := f.backend.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	t, already := f.backend.term, f.cut
	f.cut = true
	if already || t == nil || t.lost {
		return
	}
	t.confirmed = time.Now()
	since := t.confirmed
	time.AfterFunc(Lease, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if t.confirmed.Equal(since) {
			c.depose(t)
		}
	})
}

// Heal brings the cluster back. A lease that has ended meanwhile becomes known.
func (f *Faults) Heal() {
	c := f.backend.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	f.cut = false
	if t := f.backend.term; t != nil && !t.lost {
		if c.leader == t {
			t.confirmed = time.Time{}
		} else {
			t.end()
		}
	}
	c.wake()
}

// take removes the next commit's fault.
func (f *Faults) take() (Fault, bool) {
	f.backend.cluster.mu.Lock()
	defer f.backend.cluster.mu.Unlock()
	if len(f.next) == 0 {
		return Fault{}, false
	}
	first := f.next[0]
	f.next = f.next[1:]
	return first, true
}

// commit is Term.Commit under the fault.
func (f Fault) commit(ctx context.Context, t *Term, n uint64, writes []state.Write) error {
	unknown := fmt.Errorf("commit %d: %w", n, state.ErrUnknown)
	switch f.Outcome {
	case Refused:
		return fmt.Errorf("commit %d: %w", n, state.ErrRefused)
	case Failed:
		return fmt.Errorf("commit %d: %w", n, f.Err)
	case LostAnswer:
		if err := t.deliver(ctx, n, writes); err != nil {
			return err
		}
	case Late:
		time.AfterFunc(f.After, func() { // without a goroutine: nothing is left to wait for, the cluster outlives the caller
			t.backend.cluster.mu.Lock()
			defer t.backend.cluster.mu.Unlock()
			_ = t.backend.cluster.apply(t, n, writes) // nobody is there to hear whether it was refused
		})
	case Slow:
		select {
		case <-time.After(f.After):
			return t.deliver(ctx, n, writes)
		case <-ctx.Done():
		}
	case LostRequest:
	}
	return unknown
}
