package acs

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
)

// TestSlowAgentIsCutOff: an agent that does not take a payload loses its session after the write's deadline, before any heartbeat is due, and
// holds up nobody.
func TestSlowAgentIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.hub.Heartbeat = time.Hour
		c := w.config("/acs/")
		conn, err := c.dial(t.Context(), map[string][]string{"containerInstanceArn": {string(one)}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !w.hub.Has(one) {
			t.Fatal("no session")
		}
		large := order("large", false)
		large.Build = func() (acsproto.Task, error) {
			return acsproto.Task{ARN: string(large.Task), Family: strings.Repeat("x", 2<<20)}, nil // more than any buffer on the way
		}
		w.set(func(x *Wanted) { x.Orders = []Order{large} })
		w.hub.Notify(one)
		time.Sleep(writeDeadline - time.Second)
		if !w.hub.Has(one) {
			t.Error("it was given no time")
		}
		time.Sleep(2 * time.Second)
		if w.hub.Has(one) {
			t.Error("a session whose agent takes nothing is still open")
		}
		conn.CloseNow() //nolint:errcheck // for the bubble's end
		c.HTTPClient.CloseIdleConnections()
		synctest.Wait()
		w.control.mu.Lock()
		defer w.control.mu.Unlock()
		if w.gone != 1 {
			t.Errorf("disconnected %d times", w.gone)
		}
	})
}
