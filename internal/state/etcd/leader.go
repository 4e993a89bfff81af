package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Leader is who leads. Fence tells one time in office from every other.
type Leader struct {
	Address string // "" when there is none
	Replica string // its Config.Replica
	Fence   int64
}

// sight is the leader as this replica last heard.
type sight struct {
	mu      sync.Mutex
	now     Leader
	changed chan struct{} // closed and replaced at each change
}

// Seen is the leader as this replica last heard, which may be a moment behind, and a channel that is closed when that changes.
func (b *Backend) Seen() (Leader, <-chan struct{}) {
	b.leader.mu.Lock()
	defer b.leader.mu.Unlock()
	return b.leader.now, b.leader.changed
}

func (s *sight) set(l Leader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l == s.now {
		return
	}
	s.now = l
	close(s.changed)
	s.changed = make(chan struct{})
}

// observe keeps Seen up to date.
func (b *Backend) observe(ctx context.Context) {
	for ctx.Err() == nil {
		if err := b.observeOnce(ctx); err != nil && ctx.Err() == nil {
			b.config.Log.Debug("who leads is not known, will look again", "err", err)
			pause(ctx, 200*time.Millisecond)
		}
	}
}

func (b *Backend) observeOnce(ctx context.Context) error {
	revision, err := b.look(ctx)
	if err != nil {
		return err
	}
	watch, cancel := b.watching(ctx)
	defer cancel()
	for resp := range b.client.Watch(watch, leaderKey, clientv3.WithRev(revision+1)) {
		if err := resp.Err(); err != nil {
			return fmt.Errorf("watch the leader: %w", err)
		}
		for _, e := range resp.Events {
			if e.Type == clientv3.EventTypeDelete {
				b.leader.set(Leader{})
			} else {
				b.leader.set(leaderOf(e.Kv))
			}
		}
	}
	return errors.New("watch the leader: the watch ended")
}

// look reads who leads, and returns the revision at which that was.
func (b *Backend) look(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	resp, err := b.client.Get(ctx, leaderKey)
	if err != nil {
		return 0, fmt.Errorf("read the leader: %w", err)
	}
	if len(resp.Kvs) == 0 {
		b.leader.set(Leader{})
	} else {
		b.leader.set(leaderOf(resp.Kvs[0]))
	}
	return resp.Header.Revision, nil
}

func leaderOf(kv *mvccpb.KeyValue) Leader {
	var l leaderValue
	_ = json.Unmarshal(kv.Value, &l) // one without an address cannot be reached, which is all that can be said of it
	return Leader{l.Address, l.Replica, kv.CreateRevision}
}

// succeed looks after the leader's process, while another one leads: once that is provably gone, its key is deleted, so that nobody waits
// for its lease. That is always safe, because the fence and not the lease guards what is written.
func (b *Backend) succeed(ctx context.Context) {
	for ctx.Err() == nil {
		leader, changed := b.Seen()
		watch, cancel := context.WithCancel(ctx)
		var call sync.WaitGroup
		call.Go(func() {
			if leader.Address != "" && leader.Replica != b.config.Replica {
				b.accompany(watch, leader)
			}
		})
		select {
		case <-changed:
		case <-ctx.Done():
		}
		cancel()
		call.Wait()
	}
}

// accompany keeps a connection to the leader, over which nothing is said: its end tells at once of the process's end. Only a leader that was
// reached before is ever found to be gone.
func (b *Backend) accompany(ctx context.Context, leader Leader) {
	u, err := url.Parse(leader.Address)
	if err != nil || u.Port() == "" {
		return
	}
	for reached := false; ctx.Err() == nil; {
		conn, err := b.call(ctx, u.Host)
		switch {
		case err == nil:
			reached = true
			untilClosed(ctx, conn)
		case reached && b.refuses(ctx, u.Host, err):
			b.config.Log.Info("the leader's process is gone", "leader", leader.Address)
			b.depose(ctx, leader.Fence)
			return
		default:
			pause(ctx, time.Second)
		}
	}
}

func (b *Backend) call(ctx context.Context, host string) (net.Conn, error) {
	d := net.Dialer{Timeout: time.Second}
	return d.DialContext(ctx, "tcp", host)
}

// refuses says whether the connection is refused, which was err, and refused once more a moment later: nobody listens there. A time-out says
// nothing.
func (b *Backend) refuses(ctx context.Context, host string, err error) bool {
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return false
	}
	pause(ctx, 150*time.Millisecond)
	conn, err := b.call(ctx, host)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// untilClosed waits for the end of a connection, or of ctx.
func untilClosed(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	unlink := context.AfterFunc(ctx, func() { conn.Close() })
	defer unlink()
	_, _ = conn.Read(make([]byte, 1)) // that it ends is all that counts
}

// depose deletes the leader key if it is still the one with that fence. It tries until that is certain or ctx ends: etcd itself may have lost
// its leader at the same moment.
func (b *Backend) depose(ctx context.Context, fence int64) {
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, time.Second)
		resp, err := b.client.Get(once, leaderKey) // also waits for etcd to have a leader again, so that the next request is not lost
		if err == nil && (len(resp.Kvs) == 0 || resp.Kvs[0].CreateRevision != fence) {
			cancel()
			return
		}
		if err == nil {
			_, err = b.client.Txn(once).If(clientv3.Compare(clientv3.CreateRevision(leaderKey), "=", fence)).Then(clientv3.OpDelete(leaderKey)).Commit()
		}
		cancel()
		if err == nil {
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
