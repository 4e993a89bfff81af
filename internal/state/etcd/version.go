package etcd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"berth/internal/state"
)

// stored is the version of the records in the store, and the revision of the key that says so, 0 where there is none.
type stored struct {
	version  int
	revision int64
}

// fit reads the version of the stored records, and fails with ErrNewer where this replica does not know them.
func (b *Backend) fit(ctx context.Context) (stored, error) {
	resp, err := b.client.Get(ctx, versionKey)
	if err != nil {
		return stored{}, fmt.Errorf("read the version of the records: %w", err)
	}
	s := stored{version: 1}
	if len(resp.Kvs) == 0 {
		return s, nil
	}
	s.revision = resp.Kvs[0].ModRevision
	if s.version, err = strconv.Atoi(string(resp.Kvs[0].Value)); err != nil {
		return s, fmt.Errorf("read the version of the records: %w", err)
	}
	if s.version > b.config.Version {
		return s, fmt.Errorf("%w: its records are of version %d, this one knows version %d", state.ErrNewer, s.version, b.config.Version)
	}
	return s, nil
}

// A replica that is not heard of for this long does not count any more. It is long enough for one to be started again.
const published = time.Minute

// publish tells the other replicas, as long as this one runs, which records it knows.
func (b *Backend) publish(ctx context.Context) {
	name := cmp.Or(b.config.Replica, rand.Text())
	for ctx.Err() == nil {
		if err := b.publishOnce(ctx, name); err != nil && ctx.Err() == nil {
			b.config.Log.Debug("this replica's version is not published, will try again", "err", err)
			pause(ctx, time.Second)
		}
	}
}

// publishOnce keeps the replica's key until its lease is lost or ctx ends. The key stays for a while then: a replica that is started again
// has not left.
func (b *Backend) publishOnce(ctx context.Context, name string) error {
	lease, err := b.putVersion(ctx, name)
	for err == nil {
		pause(ctx, published/4)
		if ctx.Err() != nil {
			return nil
		}
		err = b.renew(ctx, lease)
	}
	return err
}

func (b *Backend) putVersion(ctx context.Context, name string) (clientv3.LeaseID, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	lease, err := b.client.Grant(ctx, int64(published/time.Second))
	if err != nil {
		return 0, fmt.Errorf("grant a lease: %w", err)
	}
	if _, err := b.client.Put(ctx, replicaKey+name, strconv.Itoa(b.config.Version), clientv3.WithLease(lease.ID)); err != nil {
		return 0, fmt.Errorf("publish the version: %w", err)
	}
	return lease.ID, nil
}

// renew fails only where the lease is gone: that the store does not answer for a while is no reason for another one.
func (b *Backend) renew(ctx context.Context, lease clientv3.LeaseID) error {
	ctx, cancel := context.WithTimeout(ctx, published/4)
	defer cancel()
	_, err := b.client.KeepAliveOnce(ctx, lease)
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return err
	}
	return nil
}

// Version is the version of the records in the store.
func (t *Term) Version() int { return int(t.version.Load()) }

// Raise waits until all replicas know newer records than those that are stored, and lets them be stored from then on.
func (t *Term) Raise(ctx context.Context) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var deposed sync.WaitGroup
	deposed.Go(func() {
		select {
		case <-t.done:
			cancel()
		case <-ctx.Done():
		}
	})
	version, err := t.raised(ctx)
	cancel()
	deposed.Wait()
	select {
	case <-t.done:
		err = errors.Join(state.ErrRefused, err)
	default:
	}
	if err != nil {
		return 0, fmt.Errorf("raise the record version: %w", err)
	}
	return version, nil
}

func (t *Term) raised(ctx context.Context) (int, error) {
	b := t.backend
	if t.Version() >= b.config.Version {
		<-ctx.Done() // what this replica does not know, it does not write
	}
	for ctx.Err() == nil {
		revision, known, err := b.known(ctx)
		if err == nil && known > t.Version() {
			if err = t.raise(ctx, known); err == nil || errors.Is(err, state.ErrRefused) {
				return known, err
			}
		}
		if err != nil {
			b.config.Log.Debug("the replicas' versions are not known, will look again", "err", err)
			pause(ctx, time.Second)
			continue
		}
		b.untilPublished(ctx, revision+1)
	}
	return 0, ctx.Err()
}

// raise writes the version, if this is still the leader.
func (t *Term) raise(ctx context.Context, version int) error {
	resp, err := t.backend.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(leaderKey), "=", t.fence)).
		Then(clientv3.OpPut(versionKey, strconv.Itoa(version))).Commit()
	if err != nil {
		return fmt.Errorf("write the version: %w", err)
	}
	if !resp.Succeeded {
		return state.ErrRefused
	}
	t.version.Store(int64(version))
	return nil
}

// known is the record version that every replica knows, as of a revision. A member of the cluster that has not told its version counts as one
// that knows nothing new.
func (b *Backend) known(ctx context.Context) (revision int64, version int, err error) {
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	resp, err := b.client.Get(ctx, replicaKey, clientv3.WithPrefix())
	if err != nil {
		return 0, 0, fmt.Errorf("read the replicas' versions: %w", err)
	}
	version = b.config.Version
	heard := map[string]bool{b.config.Replica: true}
	for _, kv := range resp.Kvs {
		v, err := strconv.Atoi(string(kv.Value))
		if err != nil {
			return 0, 0, fmt.Errorf("read the replicas' versions: %w", err)
		}
		version = min(version, v)
		heard[string(kv.Key[len(replicaKey):])] = true
	}
	if b.config.Cluster == nil {
		return resp.Header.Revision, version, nil
	}
	members, err := b.Members(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range members {
		if !heard[m.Name] {
			version = 1
		}
	}
	return resp.Header.Revision, version, nil
}

// untilPublished waits for another replica's version, or for a member to be removed: of that no key tells, so it looks again after a while.
func (b *Backend) untilPublished(ctx context.Context, revision int64) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), 10*time.Second)
	defer cancel()
	<-b.client.Watch(ctx, replicaKey, clientv3.WithPrefix(), clientv3.WithRev(revision))
}
