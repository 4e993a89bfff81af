package acs

import (
	"context"
	"crypto/rand"
	"time"
)

// networkGap is how much longer than a look at the VPCs takes the next one waits, times the sessions that look too and at least ten of them: however often VPCs
// change, all looks together take a quarter of a processor. networkLate is how long it waits at most.
const (
	networkGap  = 4
	networkLate = 2 * time.Second
)

// networkPause is how long a session waits after a look that took so long.
func networkPause(took time.Duration, sessions int) time.Duration {
	return min(networkLate, took*time.Duration(networkGap*max(10, sessions)))
}

// pokeNetwork makes the session look again at what its instance must know of its VPCs. It never waits.
func (s *session) pokeNetwork() {
	select {
	case s.network <- struct{}{}:
	default:
	}
}

// networkChanged looks again, at once or when it is time.
func (s *session) networkChanged(ctx context.Context) error {
	if wait := time.Until(s.networkNext); wait > 0 {
		s.networkDue.Reset(wait)
		return nil
	}
	return s.sendNetwork(ctx)
}

// sendNetwork tells the instance's agent what it must know of its VPCs and does not.
func (s *session) sendNetwork(ctx context.Context) error {
	began := time.Now()
	m, ok := s.hub.Control.Network(s.instance, s.networkTold)
	sessions, _ := s.hub.Sessions()
	s.networkNext = time.Now().Add(networkPause(time.Since(began), sessions))
	if !ok {
		return nil
	}
	m.MessageID, m.Cluster, m.ContainerInstance = rand.Text(), string(s.instance.Cluster()), string(s.instance)
	return s.send(ctx, m)
}

// stoppedTimer is a timer that has not been set.
func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}
