package acs

import "sync/atomic"

// Sums count what the hub has done since it was made, for the metrics.
type Sums struct{ PayloadsSent, PayloadsAcked, OrdersResent, Publications uint64 }

type sums struct{ sent, acked, resent, publications atomic.Uint64 }

// Sums are the sums up to now.
func (h *Hub) Sums() Sums {
	return Sums{h.sums.sent.Load(), h.sums.acked.Load(), h.sums.resent.Load(), h.sums.publications.Load()}
}

// Sessions are how many ACS and telemetry sessions are open.
func (h *Hub) Sessions() (acs, tcs int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sessions), len(h.publishers)
}

// sent notes a payload with these orders.
func (h *Hub) sent(orders []orderKey) {
	h.sums.sent.Add(1)
	h.tell(orders, false)
}

// acked notes that an agent acked a payload; orders is empty where the message was none, or was acked already.
func (h *Hub) acked(orders []orderKey) {
	if len(orders) > 0 {
		h.sums.acked.Add(1)
		h.tell(orders, true)
	}
}

func (h *Hub) tell(orders []orderKey, acked bool) {
	if h.Told == nil {
		return
	}
	for _, o := range orders {
		if !o.stop {
			h.Told(o.task, acked)
		}
	}
}
