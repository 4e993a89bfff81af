package etcd

import (
	"context"
	"encoding/json"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/state"
)

// page is how many records Load asks for at a time.
const page = 2000

// Load reads the newest commit linearizably, and then every record page by page at that revision. A compaction meanwhile is an error.
func (b *Backend) Load(ctx context.Context, each func(state.Write) error) (state.Mark, error) {
	mark, err := b.Head(ctx)
	if err != nil {
		return state.Mark{}, err
	}
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		resp, err := b.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(mark.Revision))
		if err != nil {
			return state.Mark{}, fmt.Errorf("load records from %q on: %w", from, err)
		}
		for _, kv := range resp.Kvs {
			if w, ok := record(kv); ok {
				if err := each(w); err != nil {
					return state.Mark{}, err
				}
			}
		}
		if !resp.More {
			return mark, nil
		}
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}

// Head reads the newest commit's mark linearizably.
func (b *Backend) Head(ctx context.Context) (state.Mark, error) {
	resp, err := b.client.Get(ctx, commitKey)
	if err != nil {
		return state.Mark{}, fmt.Errorf("read the newest commit: %w", err)
	}
	mark := state.Mark{Revision: resp.Header.Revision}
	if len(resp.Kvs) == 0 {
		return mark, nil
	}
	c, err := parseCommit(resp.Kvs[0].Value)
	mark.N, mark.Term = c.N, c.Term
	return mark, err
}

// Leader returns the leader's address, "" when there is none.
func (b *Backend) Leader(ctx context.Context) (string, error) {
	resp, err := b.client.Get(ctx, leaderKey)
	if err != nil {
		return "", fmt.Errorf("read the leader's address: %w", err)
	}
	if len(resp.Kvs) == 0 {
		return "", nil
	}
	var l leaderValue
	if err := json.Unmarshal(resp.Kvs[0].Value, &l); err != nil {
		return "", fmt.Errorf("read %s %q: %w", leaderKey, resp.Kvs[0].Value, err)
	}
	return l.Address, nil
}
