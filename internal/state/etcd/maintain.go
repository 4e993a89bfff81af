package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// maintain compacts at every interval what is older than one interval, as long as this replica leads. A follower is only passed when it is
// slower than that; it then loads anew.
func (b *Backend) maintain(ctx context.Context) {
	tick := time.NewTicker(b.config.Compact)
	defer tick.Stop()
	var old int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := b.revision(ctx)
		if err == nil && b.term.Load() != nil {
			err = errors.Join(b.compact(ctx, old), b.defragmentFollowers(ctx))
		}
		if err != nil && ctx.Err() == nil {
			b.config.Log.Warn("upkeep of etcd failed, will try again", "err", err)
		}
		if now > 0 {
			old = now
		}
	}
}

// revision is etcd's newest.
func (b *Backend) revision(ctx context.Context) (int64, error) {
	m, err := b.Head(ctx)
	return m.Revision, err
}

// compact forgets what is older than a revision.
func (b *Backend) compact(ctx context.Context, revision int64) error {
	if revision == 0 {
		return nil
	}
	_, err := b.client.Compact(ctx, revision, clientv3.WithCompactPhysical())
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compact to revision %d: %w", revision, err)
	}
	return nil
}

// endpoints are the members to defragment; the embedded one has no address.
func (b *Backend) endpoints() []string {
	if b.server != nil {
		return []string{""}
	}
	return b.client.Endpoints()
}

// defragmentFollowers gives back the free space of members that are not etcd's leader, one at a time.
func (b *Backend) defragmentFollowers(ctx context.Context) error {
	if b.server != nil {
		return nil // a single member: at its start; a cluster's: each its own (tend)
	}
	for _, at := range b.endpoints() {
		s, err := b.client.Status(ctx, at)
		if err != nil {
			return fmt.Errorf("ask %s for its size: %w", at, err)
		}
		if s.Leader == s.Header.MemberId || !mostlyFree(s) {
			continue
		}
		if err := b.defragment(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// defragment rewrites one member's database without its holes. The member answers nobody meanwhile.
func (b *Backend) defragment(ctx context.Context, at string) error {
	var err error
	if b.server != nil {
		err = b.server.etcd.Server.Backend().Defrag() // the in-process client's own call needs a listener's health server
	} else {
		_, err = b.client.Defragment(ctx, at)
	}
	if err != nil {
		return fmt.Errorf("defragment etcd's database %s: %w", at, err)
	}
	return nil
}

// mostlyFree says that defragmenting pays: more than half of a database that is not tiny is free.
func mostlyFree(s *clientv3.StatusResponse) bool {
	return s.DbSize > 16<<20 && s.DbSizeInUse < s.DbSize/2
}

// tidy is done at the start of a single member, before anybody waits for it. What fails here, fails without harm.
func (b *Backend) tidy(ctx context.Context) {
	at := b.endpoints()
	if len(at) != 1 {
		return
	}
	_, level := b.Space()
	err := func() error {
		if level != OK {
			now, err := b.revision(ctx)
			if err = errors.Join(err, b.compact(ctx, now)); err != nil {
				return err
			}
		}
		s, err := b.client.Status(ctx, at[0])
		if err != nil || !mostlyFree(s) || !b.fits(s.DbSizeInUse) {
			return err
		}
		return b.defragment(ctx, at[0])
	}()
	if err != nil {
		b.config.Log.Warn("etcd was not defragmented", "err", err)
	}
}

// fits says whether the disk holds the copy that a defragmentation makes.
func (b *Backend) fits(size int64) bool {
	if b.guard == nil {
		return true
	}
	free, err := diskFree(b.config.Dir)
	return err == nil && free > uint64(size)+ballastSize
}

// room remembers when room was made, so that a store that is really full is not defragmented at every commit.
type room struct {
	mu   sync.Mutex
	last time.Time
}

// makeRoom ends etcd's NOSPACE alarm: compact, defragment, disarm. It reports whether trying again may help. Followers that are behind load
// anew. It takes its time even when ctx ends: half done, it would only have to be done again.
func (b *Backend) makeRoom(ctx context.Context) bool {
	if b.server == nil && !b.config.Maintain {
		return false
	}
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	again := 30 * time.Second
	if b.config.Cluster != nil {
		again = 5 * time.Second // the other members' databases may still be full then, and raise the alarm anew
	}
	if time.Since(b.room.last) < again {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Minute)
	defer cancel()
	b.config.Log.Warn("etcd's database is full: compacting and defragmenting")
	err := b.clearAlarm(ctx)
	b.room.last = time.Now()
	if err != nil {
		b.config.Log.Error("no room was made in etcd's database; delete records or raise its quota", "err", err)
	}
	return err == nil
}

func (b *Backend) clearAlarm(ctx context.Context) error {
	now, err := b.revision(ctx)
	if err = errors.Join(err, b.compact(ctx, now)); err != nil {
		return err
	}
	for _, at := range b.endpoints() {
		if err := b.defragment(ctx, at); err != nil {
			return err
		}
	}
	alarms, err := b.client.AlarmList(ctx)
	if err != nil {
		return fmt.Errorf("list alarms: %w", err)
	}
	for _, a := range alarms.Alarms {
		if a.Alarm != etcdserverpb.AlarmType_NOSPACE {
			continue
		}
		if _, err := b.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(a)); err != nil {
			return fmt.Errorf("disarm: %w", err)
		}
	}
	return nil
}
