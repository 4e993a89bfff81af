package etcd

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"berth/internal/state"
)

// Commit is one etcd transaction. Where the database is full it makes room once and tries again.
func (t *Term) Commit(ctx context.Context, n uint64, writes []state.Write) error {
	t.commits.Lock()
	defer t.commits.Unlock()
	err := t.commit(ctx, n, writes)
	if errors.Is(err, state.ErrNoSpace) && t.backend.makeRoom(ctx) {
		err = t.commit(ctx, n, writes)
	}
	if err != nil {
		return fmt.Errorf("commit %d: %w", n, err)
	}
	return nil
}

func (t *Term) commit(ctx context.Context, n uint64, writes []state.Write) error {
	if !t.known {
		if err := t.readLast(ctx); err != nil {
			return fmt.Errorf("%w: %w", state.ErrUnknown, err)
		}
	}
	if t.lastN != n-1 {
		return state.ErrRefused
	}
	value := commitValue{uint64(t.fence), n}.String()
	t.known = false // until the answer is there
	ctx, cancel := t.backend.inEpoch(ctx)
	defer cancel()
	resp, err := t.backend.client.Txn(ctx).If(t.stands()...).Then(operations(writes, value)...).Commit()
	if err != nil {
		err, t.known = outcome(err)
		return err
	}
	if !resp.Succeeded {
		return state.ErrRefused
	}
	t.last, t.lastN, t.known = value, n, true
	return nil
}

// stands is the comparison: the fence, and the newest commit. The commit key's value names term and number, so no two commits have the same.
func (t *Term) stands() []clientv3.Cmp {
	fence := clientv3.Compare(clientv3.CreateRevision(leaderKey), "=", t.fence)
	if t.last == "" {
		return []clientv3.Cmp{fence, clientv3.Compare(clientv3.CreateRevision(commitKey), "=", 0)}
	}
	return []clientv3.Cmp{fence, clientv3.Compare(clientv3.Value(commitKey), "=", t.last)}
}

// operations writes the records and, last, the commit key: followers take its event for the commit's end.
func operations(writes []state.Write, value string) []clientv3.Op {
	ops := make([]clientv3.Op, 0, len(writes)+1)
	for _, w := range writes {
		if w.Value == nil {
			ops = append(ops, clientv3.OpDelete(recordKey(w)))
		} else {
			ops = append(ops, clientv3.OpPut(recordKey(w), string(w.Value)))
		}
	}
	return append(ops, clientv3.OpPut(commitKey, value))
}

// readLast learns what the commit key holds. While the fence stands, nobody else changes it.
func (t *Term) readLast(ctx context.Context) error {
	resp, err := t.backend.client.Get(ctx, commitKey)
	if err != nil {
		return fmt.Errorf("read the newest commit: %w", err)
	}
	t.last, t.lastN, t.known = "", 0, true
	if len(resp.Kvs) == 0 {
		return nil
	}
	c, err := parseCommit(resp.Kvs[0].Value)
	t.last, t.lastN, t.known = string(resp.Kvs[0].Value), c.N, err == nil
	return err
}

// outcome sorts a transaction's error, and reports whether it proves that nothing was applied. Only what etcd refuses before or instead of
// applying is definite; everything else, also what this version does not know, is unknown.
func outcome(err error) (error, bool) {
	if errors.Is(err, rpctypes.ErrNoSpace) {
		return fmt.Errorf("%w: %w", state.ErrNoSpace, err), true
	}
	switch code(err) {
	case codes.InvalidArgument, codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated, codes.FailedPrecondition:
		return err, true
	}
	return fmt.Errorf("%w: %w", state.ErrUnknown, err), false
}

func code(err error) codes.Code {
	var known rpctypes.EtcdError
	if errors.As(err, &known) {
		return known.Code()
	}
	return status.Code(err)
}
