package acs

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/arn"
)

// TestSums counts payloads with an agent that acks, then with one that does not.
func TestSums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		var mu sync.Mutex
		var told []string
		w.hub.Told = func(a arn.Task, acked bool) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, a.ID()+map[bool]string{false: " sent", true: " acked"}[acked])
		}
		m := &machine{}
		w.set(func(x *Wanted) { x.Orders = []Order{order("a", false), order("b", true)} })
		w.agent(t, m)
		time.Sleep(time.Second)
		if got := w.hub.Sums(); got != (Sums{PayloadsSent: 1, PayloadsAcked: 1}) {
			t.Errorf("sums %+v", got)
		}
		if acs, tcs := w.hub.Sessions(); acs != 1 || tcs != 0 {
			t.Errorf("%d and %d sessions", acs, tcs)
		}
		mu.Lock()
		if !slices.Equal(told, []string{"a sent", "a acked"}) { // a task to stop is no start
			t.Errorf("told %q", told)
		}
		mu.Unlock()
		m.mu.Lock()
		m.refuse = errors.New("cannot parse")
		m.mu.Unlock()
		w.set(func(x *Wanted) { x.Orders = []Order{order("c", false)} })
		w.hub.Notify(one)
		time.Sleep(2*time.Minute + time.Second)
		got := w.hub.Sums()
		if got.PayloadsAcked != 1 || got.OrdersResent == 0 || got.PayloadsSent != 2+got.OrdersResent {
			t.Errorf("sums %+v", got)
		}
	})
}
