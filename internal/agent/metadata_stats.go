package agent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
)

// Statistics are the engine's about a container, with its sample before, and the traffic between the two.
type Statistics struct {
	*container.StatsResponse
	Rates *NetworkRates `json:"network_rate_stats,omitempty"`
}

// NetworkRates are bytes a second over all of a container's interfaces.
type NetworkRates struct {
	Received float64 `json:"rx_bytes_per_sec"`
	Sent     float64 `json:"tx_bytes_per_sec"`
}

// A sample is good for a moment, and one that was taken long ago is no sample before. Where there is none, two are taken one after the other.
const (
	statsFresh   = time.Second
	statsPair    = 250 * time.Millisecond
	statsOld     = time.Minute
	statsTimeout = 4 * time.Second
)

// measures are the last samples of the containers that are asked about.
type measures struct {
	mu   sync.Mutex
	kept map[string]*measure // by the engine's id
}

type measure struct {
	one  gate // that takes a sample
	last Statistics
	at   time.Time
}

// of finds or makes the samples of a container, and drops old ones when it makes some.
func (m *measures) of(id string) *measure {
	m.mu.Lock()
	defer m.mu.Unlock()
	if one := m.kept[id]; one != nil {
		return one
	}
	if m.kept == nil {
		m.kept = map[string]*measure{}
	}
	for k, one := range m.kept {
		if one.one.try() {
			if time.Since(one.at) > statsOld {
				delete(m.kept, k)
			}
			one.one.leave()
		}
	}
	one := &measure{one: newGate()}
	m.kept[id] = one
	return one
}

// Statistics reads what a container uses. In awsvpc mode the network's are those of the task's pause container, whose namespace all share.
func (s *Seen) Statistics(ctx context.Context, name string) (Statistics, error) {
	c := s.Record.container(name)
	if c == nil || c.ID == "" || c.Phase != Up && c.Phase != Made {
		return Statistics{}, fmt.Errorf("container %s does not run: %w", name, ErrNotFound)
	}
	now, err := s.sample(ctx, c.ID)
	if err != nil {
		return Statistics{}, err
	}
	out := Statistics{StatsResponse: now.StatsResponse, Rates: now.Rates}
	if p := s.Record.container(pauseContainer); p != nil && p.ID != "" && s.Record.Network == "awsvpc" && name != pauseContainer {
		shared, err := s.sample(ctx, p.ID)
		if err != nil {
			return Statistics{}, err
		}
		own := *out.StatsResponse
		own.Networks = shared.Networks
		out = Statistics{StatsResponse: &own, Rates: shared.Rates}
	}
	return out, nil
}

// sample is a fresh sample of a container. Engines take a second for one, or two: a container that does not wait so long finds it the next time.
func (s *Seen) sample(ctx context.Context, id string) (Statistics, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statsTimeout)
	defer cancel()
	out, err := s.task.agent.measures.of(id).take(ctx, func(ctx context.Context) (container.StatsResponse, error) {
		return s.task.agent.Engine.Stats(ctx, id)
	})
	if err != nil {
		return out, fmt.Errorf("read the statistics of container %s: %w", id, err)
	}
	return out, nil
}

// take takes a sample where there is no fresh one.
func (m *measure) take(ctx context.Context, read func(context.Context) (container.StatsResponse, error)) (Statistics, error) {
	if err := m.one.enter(ctx); err != nil {
		return Statistics{}, err
	}
	defer m.one.leave()
	before, age := m.last.StatsResponse, time.Since(m.at)
	switch {
	case before != nil && age < statsFresh:
		return m.last, nil
	case before == nil || age > statsOld:
		first, err := read(ctx)
		if err != nil {
			return Statistics{}, err
		}
		before = &first
		select {
		case <-ctx.Done():
			return Statistics{}, ctx.Err()
		case <-time.After(statsPair):
		}
	}
	now, err := read(ctx)
	if err != nil {
		return Statistics{}, err
	}
	now.PreRead, now.PreCPUStats = before.Read, before.CPUStats
	m.last, m.at = Statistics{StatsResponse: &now, Rates: ratesOf(before, &now)}, time.Now()
	return m.last, nil
}

// ratesOf are the rates between two samples, nil for a container without a network or where they cannot be told.
func ratesOf(before, now *container.StatsResponse) *NetworkRates {
	seconds := now.Read.Sub(before.Read).Seconds()
	received, sent := traffic(now)
	was, had := traffic(before)
	if len(now.Networks) == 0 || seconds <= 0 || received < was || sent < had {
		return nil
	}
	return &NetworkRates{Received: float64(received-was) / seconds, Sent: float64(sent-had) / seconds}
}

// traffic is the bytes received and sent so far over all interfaces.
func traffic(s *container.StatsResponse) (received, sent uint64) {
	for _, n := range s.Networks {
		received, sent = received+n.RxBytes, sent+n.TxBytes
	}
	return received, sent
}
