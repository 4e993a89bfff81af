package etcd

import (
	"testing"
	"time"
)

// TestLease: only where another replica waits for its end is a lease short.
func TestLease(t *testing.T) {
	alone := openTest(t, Config{Dir: t.TempDir()})
	shared := openTest(t, Config{Endpoints: []string{startProcess(t)}})
	for b, want := range map[*Backend]time.Duration{alone: aloneLease, shared: Lease} {
		term := lead(t, b)
		ttl, err := b.client.TimeToLive(t.Context(), term.lease)
		if err != nil {
			t.Fatal(err)
		}
		if _, lease := term.Confirmed(); lease != want || ttl.GrantedTTL != int64(want/time.Second) {
			t.Errorf("a lease of %s, in etcd of %d s, want %s", lease, ttl.GrantedTTL, want)
		}
	}
}
