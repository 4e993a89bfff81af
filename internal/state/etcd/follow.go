package etcd

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/state"
)

// Follow watches everything after mark and applies commit by commit.
func (b *Backend) Follow(ctx context.Context, after state.Mark, apply func(state.Mark, []state.Write) error) error {
	watch, cancel := b.watching(ctx)
	defer cancel()
	g := gather{last: after.N, apply: apply}
	for resp := range b.client.Watch(watch, prefix, clientv3.WithPrefix(), clientv3.WithRev(after.Revision+1)) {
		if resp.CompactRevision != 0 {
			return fmt.Errorf("follow commits after %d, revision %d: %w", g.last, after.Revision, state.ErrCompacted)
		}
		if err := resp.Err(); err != nil {
			return fmt.Errorf("follow commits after %d: %w", g.last, err)
		}
		for _, e := range resp.Events {
			if err := g.add(e); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("follow commits after %d: the watch ended", g.last)
}

// gather puts commits together from events. A commit is one revision and puts the commit key last, so the event of that key completes it,
// however etcd cuts its responses. Revisions without it are not commits (the leader key).
type gather struct {
	last     uint64 // number of the newest commit that was applied
	revision int64
	writes   []state.Write
	apply    func(state.Mark, []state.Write) error
}

func (g *gather) add(e *clientv3.Event) error {
	if e.Kv.ModRevision != g.revision {
		g.revision, g.writes = e.Kv.ModRevision, nil
	}
	if string(e.Kv.Key) == commitKey && e.Type == clientv3.EventTypePut {
		return g.complete(e)
	}
	if w, ok := record(e.Kv); ok {
		if e.Type == clientv3.EventTypeDelete {
			w.Value = nil
		}
		g.writes = append(g.writes, w)
	}
	return nil
}

// complete applies the commit. A number that does not follow means that the store was restored: then the caller has to load anew.
func (g *gather) complete(e *clientv3.Event) error {
	c, err := parseCommit(e.Kv.Value)
	if err != nil {
		return err
	}
	if c.N != g.last+1 {
		return fmt.Errorf("commit %d follows %d: %w", c.N, g.last, state.ErrCompacted)
	}
	if err := g.apply(state.Mark{N: c.N, Term: c.Term, Revision: g.revision}, g.writes); err != nil {
		return err
	}
	g.last, g.writes = c.N, nil
	return nil
}
