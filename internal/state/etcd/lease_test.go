package etcd

import (
	"context"
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
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

// deposedLease renews leases as a member of etcd does that was its leader and does not know yet that it is not any more: in an older term.
type deposedLease struct{ clientv3.Lease }

func (l deposedLease) KeepAliveOnce(ctx context.Context, id clientv3.LeaseID) (*clientv3.LeaseKeepAliveResponse, error) {
	resp, err := l.Lease.KeepAliveOnce(ctx, id)
	if err == nil {
		resp.RaftTerm--
	}
	return resp, err
}

// TestRenewedByADeposedLeader: a renewal that the present leader of etcd did not make confirms nothing.
func TestRenewedByADeposedLeader(t *testing.T) {
	b := openTest(t, Config{Dir: t.TempDir()})
	held := lead(t, b)
	client := *b.client
	term := newTerm(&Backend{client: &client, config: b.config}, held.lease, held.fence)
	client.Lease = deposedLease{b.client.Lease}
	if err := term.confirm(t.Context()); !errors.Is(err, errElected) {
		t.Errorf("renewed in an older term: %v", err)
	}
	if at, _ := term.Confirmed(); !at.IsZero() {
		t.Error("and it counts")
	}
	client.Lease = b.client.Lease
	if err := term.confirm(t.Context()); err != nil {
		t.Error(err)
	}
	if at, _ := term.Confirmed(); at.IsZero() {
		t.Error("a renewal by the present leader does not count")
	}
}
