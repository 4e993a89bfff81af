package agenttest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// Secrets are Secrets Manager and Parameter Store in memory. Each value is "value of" what it was asked by, but for Set ones.
type Secrets struct {
	asked
	Cut  func(op string) // called at each call
	mu   sync.Mutex
	set  map[string]string
	took time.Duration
}

var _ agent.Secrets = (*Secrets)(nil)

// Set makes the value of what a valueFrom names another.
func (s *Secrets) Set(from, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		s.set = map[string]string{}
	}
	s.set[from] = value
}

// Slow has each call take a time.
func (s *Secrets) Slow(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = d
}

// Values implements agent.Secrets.
func (s *Secrets) Values(ctx context.Context, _ string, list []acsproto.Secret) ([]string, error) {
	err := s.ask()
	s.mu.Lock()
	took := s.took
	values := make([]string, len(list))
	for n, one := range list {
		v, ok := s.set[one.ValueFrom]
		if values[n] = v; !ok {
			values[n] = "value of " + one.ValueFrom
		}
	}
	s.mu.Unlock()
	if s.Cut != nil {
		s.Cut("read secrets")
	}
	select {
	case <-time.After(took):
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", agent.ErrUnavailable, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}
