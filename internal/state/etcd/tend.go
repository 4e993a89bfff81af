package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// turnKey is held by the member that defragments: the others keep serving meanwhile. It is no record.
const turnKey = prefix + "defragmenting"

// tendEvery is how often a member looks at its own database. Compactions, which free space in all of them, come less often.
const tendEvery = 3 * time.Second

// tend looks after this member's own database, which no other member can defragment.
func (b *Backend) tend(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.tendOnce(ctx); err != nil && ctx.Err() == nil {
			b.config.Log.Warn("etcd's database was not defragmented, will try again", "err", err)
		}
	}
}

// tendOnce defragments the database if that pays and the member does not lead, one member at a time. A full one is defragmented at once:
// while it is full, the whole cluster takes no writes.
func (b *Backend) tendOnce(ctx context.Context) error {
	db := b.server.etcd.Server.Backend()
	size, used := db.Size(), db.SizeInUse()
	if !b.fits(used) {
		return nil
	}
	if size > b.config.Quota-b.config.Quota/lowPart && used < size-size/4 {
		return b.defragment(ctx, "")
	}
	leads := b.term.Load() != nil || b.server.etcd.Server.Leader() == b.server.etcd.Server.MemberID()
	if leads || size <= 16<<20 || used >= size/2 {
		return nil
	}
	end, err := b.takeTurn(ctx)
	if end == nil || err != nil {
		return err
	}
	return errors.Join(b.defragment(ctx, ""), end())
}

// takeTurn makes this member the only one that defragments; nil if another one does. A member that dies meanwhile has its turn for a minute.
func (b *Backend) takeTurn(ctx context.Context) (end func() error, err error) {
	lease, err := b.client.Grant(ctx, 60)
	if err != nil {
		return nil, fmt.Errorf("take the turn: %w", err)
	}
	end = func() error {
		_, err := b.client.Revoke(context.WithoutCancel(ctx), lease.ID)
		return err
	}
	resp, err := b.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(turnKey), "=", 0)).
		Then(clientv3.OpPut(turnKey, b.config.Replica, clientv3.WithLease(lease.ID))).Commit()
	if err != nil || !resp.Succeeded {
		return nil, errors.Join(err, end())
	}
	return end, nil
}
