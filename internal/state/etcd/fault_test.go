package etcd

import (
	"context"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/state/backendtest"
)

// faults stands between a replica and etcd.
type faults struct {
	mu     sync.Mutex
	next   []backendtest.Fault
	late   []func()
	silent chan struct{} // closed: nothing arrives any more
}

func (f *faults) take() (backendtest.Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.next) == 0 {
		return 0, false
	}
	first := f.next[0]
	f.next = f.next[1:]
	return first, true
}

// reaches waits for ctx when the replica is silenced.
func (f *faults) reaches(ctx context.Context) error {
	select {
	case <-f.silent:
		<-ctx.Done()
		return ctx.Err()
	default:
		return nil
	}
}

func (f *faults) arrive() {
	f.mu.Lock()
	late := f.late
	f.late = nil
	f.mu.Unlock()
	for _, deliver := range late {
		deliver()
	}
}

// faultyKV is the client's KV with faults in its transactions that write the commit key.
type faultyKV struct {
	clientv3.KV
	*faults
}

func (k faultyKV) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if err := k.reaches(ctx); err != nil {
		return nil, err
	}
	return k.KV.Get(ctx, key, opts...)
}

func (k faultyKV) Txn(ctx context.Context) clientv3.Txn {
	return &faultyTxn{Txn: k.KV.Txn(ctx), kv: k, ctx: ctx}
}

type faultyTxn struct {
	clientv3.Txn
	kv    faultyKV
	ctx   context.Context // of this one transaction, as in the real one
	cmps  []clientv3.Cmp
	thens []clientv3.Op
}

func (t *faultyTxn) If(cs ...clientv3.Cmp) clientv3.Txn {
	t.cmps = cs
	t.Txn = t.Txn.If(cs...)
	return t
}

func (t *faultyTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.thens = ops
	t.Txn = t.Txn.Then(ops...)
	return t
}

func (t *faultyTxn) Commit() (*clientv3.TxnResponse, error) {
	if err := t.kv.reaches(t.ctx); err != nil {
		return nil, err
	}
	fault, ok := t.kv.take()
	if !ok {
		return t.Txn.Commit()
	}
	switch fault {
	case backendtest.NoSpace:
		return nil, rpctypes.ErrNoSpace
	case backendtest.LostAnswer:
		if _, err := t.Txn.Commit(); err != nil {
			return nil, err
		}
	case backendtest.Late:
		t.kv.mu.Lock()
		t.kv.late = append(t.kv.late, func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			// Whether it is refused is what the test is about; it looks at the records.
			_, _ = t.kv.KV.Txn(ctx).If(t.cmps...).Then(t.thens...).Commit()
		})
		t.kv.mu.Unlock()
	case backendtest.LostRequest:
	}
	return nil, rpctypes.ErrTimeout
}

// faultyLease is the client's Lease, which a silenced replica does not renew.
type faultyLease struct {
	clientv3.Lease
	*faults
}

func (l faultyLease) KeepAliveOnce(ctx context.Context, id clientv3.LeaseID) (*clientv3.LeaseKeepAliveResponse, error) {
	if err := l.reaches(ctx); err != nil {
		return nil, err
	}
	return l.Lease.KeepAliveOnce(ctx, id)
}
