package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// Term is one leader's time in office.
type Term struct {
	backend *Backend
	lease   clientv3.LeaseID
	version atomic.Int64
	fence   int64 // create revision of the leader key: it is this leader's for as long as the key has it

	commits sync.Mutex
	known   bool   // whether last is what the commit key holds, as long as the fence stands
	last    string // "" before the first commit
	lastN   uint64

	mu        sync.Mutex
	confirmed time.Time
	stop      []context.CancelFunc
	once      sync.Once
	done      chan struct{}
}

// errElected says that etcd elected another leader of its own between a renewal and the read after it. It is tried again soon.
var errElected = errors.New("etcd has elected another leader meanwhile")

// errDeposed says that the leader key is not this term's any more.
var errDeposed = errors.New("the lease or the leader key is lost")

func newTerm(b *Backend, lease clientv3.LeaseID, fence int64) *Term {
	return &Term{backend: b, lease: lease, fence: fence, done: make(chan struct{})}
}

// recheck confirms the term and reads what was committed last.
func (t *Term) recheck(ctx context.Context) error {
	if err := t.confirm(ctx); err != nil {
		return err
	}
	return t.readLast(ctx)
}

// begin starts what keeps the term up to date about itself.
func (t *Term) begin(ctx context.Context) {
	t.backend.term.Store(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop = []context.CancelFunc{t.backend.run(ctx, t.keep), t.backend.run(ctx, t.watch)}
}

// keep renews the lease three times in its length, and more often while that fails.
func (t *Term) keep(ctx context.Context) {
	wait := Lease / 3
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = Lease / 3
		if err := t.confirm(ctx); errors.Is(err, errDeposed) {
			t.end()
			return
		} else if err != nil && ctx.Err() == nil {
			t.backend.config.Log.Warn("the leader's lease was not renewed, will try again", "err", err)
			wait = Lease / 15
		}
	}
}

// confirm renews the lease and then reads, in that order, that the leader key is still there: only both together make a leader. It holds from
// when the request left, not from when the answer came. A member of etcd that was its leader until it was paused renews leases for a moment
// after it goes on (the releases before 3.5.13 do): so the read, which only a present leader answers, must come from the same raft term.
func (t *Term) confirm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Lease/3)
	defer cancel()
	sent := time.Now()
	renewed, err := t.backend.client.KeepAliveOnce(ctx, t.lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return errDeposed
	}
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	holds, read, err := t.holds(ctx)
	switch {
	case err != nil:
		return err
	case !holds:
		return errDeposed
	case renewed.ResponseHeader == nil || renewed.RaftTerm != read.RaftTerm:
		return errElected
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.confirmed = sent
	return nil
}

// watch ends the term as soon as the leader key is deleted or another's.
func (t *Term) watch(ctx context.Context) {
	for revision := t.fence + 1; ctx.Err() == nil; {
		if err := t.backend.untilGone(ctx, t.fence, revision); err != nil && ctx.Err() == nil {
			t.backend.config.Log.Warn("the leader's watch on itself broke, will try again", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(Lease / 15):
			}
		}
		holds, read, err := t.holds(ctx)
		if err == nil && !holds {
			t.end()
			return
		}
		if err == nil {
			revision = read.Revision + 1
		}
	}
}

// holds reads whether the leader key is this term's, and what etcd says of the read itself: its revision and raft term.
func (t *Term) holds(ctx context.Context) (bool, *etcdserverpb.ResponseHeader, error) {
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	resp, err := t.backend.client.Get(ctx, leaderKey)
	if err != nil {
		return false, nil, fmt.Errorf("read the leader: %w", err)
	}
	return len(resp.Kvs) == 1 && resp.Kvs[0].CreateRevision == t.fence, resp.Header, nil
}

// end makes it known that the lease is lost, and stops what keeps it.
func (t *Term) end() {
	t.once.Do(func() {
		t.backend.term.CompareAndSwap(t, nil)
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, stop := range t.stop {
			stop()
		}
		close(t.done)
	})
}

// Confirmed is when the newest renewal of the lease that succeeded was asked for.
func (t *Term) Confirmed() (time.Time, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.confirmed, t.backend.config.Lease
}

// Number is the term's in the marks of its commits.
func (t *Term) Number() uint64 { return uint64(t.fence) }

// Done is closed once the lease is known to be lost.
func (t *Term) Done() <-chan struct{} { return t.done }

// Resign revokes the lease, which deletes the leader key. Where that fails, the lease ends by itself: nobody renews it.
func (t *Term) Resign(ctx context.Context) error {
	t.end()
	_, err := t.backend.client.Revoke(ctx, t.lease)
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return fmt.Errorf("resign: %w", err)
	}
	return nil
}
