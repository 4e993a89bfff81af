package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Committed tells of a transaction that was tried, for the metrics.
type Committed struct {
	Records, Bytes, Updates int // Updates are the closures that waited for it
	Took                    time.Duration
	Err                     error // nil when it is durable; ErrRefused and ErrUnknown may be in it
}

// Outcome is Err in one word.
func (c Committed) Outcome() string {
	switch {
	case c.Err == nil:
		return "committed"
	case errors.Is(c.Err, ErrRefused):
		return "refused"
	case errors.Is(c.Err, ErrUnknown):
		return "unknown"
	}
	return "failed"
}

func (s *Store) observe(b *batch, err error) {
	if s.config.Observe != nil {
		s.config.Observe(Committed{Records: len(b.writes), Bytes: b.bytes, Updates: len(b.calls), Took: time.Since(b.launched), Err: err})
	}
}

// Waiting is how many Updates have not been answered: those that wait for their turn, and those that wait for their commit.
func (s *Store) Waiting() int { return int(s.waiting.Load()) }

// Lag is how many commits there are that View does not hold yet: 0 on a leader.
func (s *Store) Lag(ctx context.Context) (uint64, error) {
	if s.Leading() {
		return 0, nil
	}
	n := s.View().N // before the head is read, so that the difference is never less than it was
	mark, err := s.heads.next(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the newest commit's number: %w", err)
	}
	return mark.N - min(n, mark.N), nil
}
