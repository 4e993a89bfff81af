package acs

import (
	"context"
	"crypto/rand"
	"time"
)

// networkGap is how much longer than a look at the VPCs takes the next one waits at least: telling about them takes a small part of a processor, however
// often they change.
const networkGap = 10

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
	s.networkNext = began.Add((1 + networkGap) * time.Since(began))
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
