package state

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// errHandedOver is why a term ends that HandOver has ended.
var errHandedOver = errors.New("the leadership is handed over")

// handOver is the wish to lead no more.
type handOver struct {
	once  sync.Once
	asked chan struct{} // closed by HandOver
	done  chan struct{} // closed once this replica does not lead and will not
}

func (h *handOver) init() {
	h.asked, h.done = make(chan struct{}), make(chan struct{})
}

// HandOver lets another replica lead, and this one never again: no closure is taken any more, what was taken is committed and answered, and
// the leadership is given up. It returns once that is so. The replica goes on following.
func (s *Store) HandOver(ctx context.Context) error {
	s.parting.once.Do(func() { close(s.parting.asked) })
	select {
	case <-s.parting.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("hand the leadership over: %w", ctx.Err())
	}
}

// Trial tells whether any closure of the Updates that were made under its context has run, or may have.
type Trial struct{ ran atomic.Bool }

type trialKey struct{}

// WithTrial begins a trial.
func WithTrial(ctx context.Context) (context.Context, *Trial) {
	t := &Trial{}
	return context.WithValue(ctx, trialKey{}, t), t
}

// Ran is false where certainly no closure has run, so that what was tried may be tried at another replica.
func (t *Trial) Ran() bool { return t.ran.Load() }

func noteRun(ctx context.Context) {
	if t, ok := ctx.Value(trialKey{}).(*Trial); ok {
		t.ran.Store(true)
	}
}

// stand campaigns until this replica leads or ctx ends. After HandOver it only waits for ctx.
func (s *Store) stand(ctx context.Context) (Term, error) {
	standing, abstain := context.WithCancel(ctx)
	defer abstain()
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.parting.asked:
			abstain()
		case <-standing.Done():
		}
	})
	term, err := s.campaign(standing)
	abstain()
	watch.Wait()
	if term != nil {
		s.closeUp(ctx)
	}
	if term != nil || err != nil || ctx.Err() != nil {
		return term, err
	}
	select {
	case <-s.parting.done:
	default:
		close(s.parting.done) // only here, and stand runs once at a time
	}
	<-ctx.Done()
	return nil, nil
}

// closeUp lets following reach the newest commit while it still runs: then a new leader need not load everything. It is only an attempt.
func (s *Store) closeUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if head, err := s.config.Backend.Head(ctx); err == nil {
		_ = s.pub.wait(ctx, head.N, s.View) // where it is not reached, lead loads
	}
}
