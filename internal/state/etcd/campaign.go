package etcd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/state"
)

// Campaign waits until there is no leader key and puts its own, under a lease of its own. In a cluster the member that is etcd's leader goes
// first; the others wait a moment.
func (b *Backend) Campaign(ctx context.Context, address string) (state.Term, error) {
	for {
		if _, err := b.fit(ctx); err != nil {
			return nil, fmt.Errorf("campaign as %s: %w", address, err)
		}
		b.letOthersFirst(ctx)
		resp, err := b.client.Get(ctx, leaderKey)
		if err != nil {
			return nil, fmt.Errorf("campaign as %s: %w", address, err)
		}
		if len(resp.Kvs) > 0 {
			if err := b.untilGone(ctx, resp.Kvs[0].CreateRevision, resp.Header.Revision+1); err != nil {
				return nil, fmt.Errorf("campaign as %s: %w", address, err)
			}
			if !b.preferred() {
				pause(ctx, giveWay)
			}
			continue
		}
		t, err := b.stand(ctx, address)
		if err != nil {
			return nil, fmt.Errorf("campaign as %s: %w", address, err)
		}
		if t != nil {
			return t, nil
		}
	}
}

// stand tries to become leader at once. It returns nil when another one was faster, or its own lease ended before it could say so.
func (b *Backend) stand(ctx context.Context, address string) (*Term, error) {
	// Begun and not ended in this time, it would be lost anyway; what etcd's leader lost when it died is not waited for.
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	stored, err := b.fit(ctx)
	if err != nil {
		return nil, err
	}
	lease, err := b.grant(ctx)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(leaderValue{address, b.config.Replica})
	if err != nil {
		return nil, fmt.Errorf("encode the address: %w", err)
	}
	resp, err := b.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(leaderKey), "=", 0), clientv3.Compare(clientv3.ModRevision(versionKey), "=", stored.revision)).
		Then(clientv3.OpPut(leaderKey, string(value), clientv3.WithLease(lease))).Commit()
	if err == nil && resp.Succeeded {
		t := newTerm(b, lease, resp.Header.Revision)
		t.version.Store(int64(stored.version))
		if err = t.recheck(ctx); err == nil && b.alone() && stored.version < b.config.Version {
			err = t.raise(ctx, b.config.Version)
		}
		if err == nil {
			t.begin(ctx)
			return t, nil
		}
	}
	b.revoke(ctx, lease) // also when it cannot be told whether the key was put: then the key goes with the lease
	if errors.Is(err, errDeposed) {
		err = nil
	}
	return nil, err
}

// grant returns a new lease, after making room for it where there is none.
func (b *Backend) grant(ctx context.Context) (clientv3.LeaseID, error) {
	seconds := int64(b.config.Lease / time.Second)
	lease, err := b.client.Grant(ctx, seconds)
	if errors.Is(err, rpctypes.ErrNoSpace) && b.makeRoom(ctx) {
		lease, err = b.client.Grant(ctx, seconds)
	}
	if err != nil {
		return 0, fmt.Errorf("grant a lease: %w", err)
	}
	return lease.ID, nil
}

// revoke gives up a lease, with some time of its own: it is what happens when ctx has ended. What cannot be revoked ends by itself.
func (b *Backend) revoke(ctx context.Context, lease clientv3.LeaseID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := b.client.Revoke(ctx, lease); err != nil {
		b.config.Log.Debug("a lease was not revoked and ends by itself", "err", err)
	}
}

// untilGone waits, from a revision on, until the leader key that was created at fence is deleted or replaced.
func (b *Backend) untilGone(ctx context.Context, fence, revision int64) error {
	watch, cancel := b.watching(ctx)
	defer cancel()
	for resp := range b.client.Watch(watch, leaderKey, clientv3.WithRev(revision)) {
		if resp.CompactRevision != 0 {
			return nil // perhaps gone: the caller looks
		}
		if err := resp.Err(); err != nil {
			return fmt.Errorf("watch the leader: %w", err)
		}
		for _, e := range resp.Events {
			if e.Type == clientv3.EventTypeDelete || e.Kv.CreateRevision != fence {
				return nil
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("watch the leader: the watch ended")
}
