package etcd

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/metadata"
)

// How often an external cluster's members are asked whether they answer, how long each may take, and how often in a row it may fail.
const (
	askEvery  = time.Second
	askWithin = time.Second
	failures  = 2
)

// shun keeps requests away from members of an external cluster that take them and do not answer, as one whose disk stands still. The client
// itself turns away only from members that are gone, and nothing tells of one that hangs: so each is asked.
func (b *Backend) shun(ctx context.Context) {
	all := b.config.Endpoints
	var members []*clientv3.Client
	for _, at := range all {
		m, err := b.config.dial([]string{at})
		if err != nil {
			b.config.Log.Warn("members of etcd that hang will not be noticed", "err", err)
			return
		}
		defer m.Close()
		members = append(members, m)
	}
	end := b.beginEpoch(ctx)
	defer func() { end() }()
	used, failed := all, make([]int, len(all))
	for pause(ctx, askEvery); ctx.Err() == nil; pause(ctx, askEvery) {
		ask(ctx, members, failed)
		next := answering(all, failed)
		if ctx.Err() != nil || slices.Equal(next, used) {
			continue
		}
		b.config.Log.Warn("etcd's members that answer have changed", "now", next, "before", used)
		b.client.SetEndpoints(next...)
		lost := slices.ContainsFunc(used, func(at string) bool { return !slices.Contains(next, at) })
		used = next
		if lost { // who waits for one that hangs asks another one
			last := end
			end = b.beginEpoch(ctx)
			last()
		}
	}
}

// beginEpoch lets requests be bound to the time until end is called.
func (b *Backend) beginEpoch(ctx context.Context) (end context.CancelFunc) {
	epoch, end := context.WithCancel(ctx)
	b.epoch.Store(&epoch)
	return end
}

// ask counts for each member how often in a row it did not answer a read that a majority has to agree to.
func ask(ctx context.Context, members []*clientv3.Client, failed []int) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var asked sync.WaitGroup
	for i, m := range members {
		asked.Go(func() {
			if _, err := m.Get(ctx, leaderKey, clientv3.WithCountOnly()); err != nil {
				failed[i]++
			} else {
				failed[i] = 0
			}
		})
	}
	asked.Wait()
}

// answering are the members that answer or, where that is no majority, all: then it is not the members that are wrong.
func answering(all []string, failed []int) (good []string) {
	for i, at := range all {
		if failed[i] < failures {
			good = append(good, at)
		}
	}
	if len(good) <= len(all)/2 {
		return all
	}
	return good
}

// watching is the context of a watch. On an external cluster it ends when a member is shunned, and has a stream of its own: one that is begun
// again must not share the stream of one that hangs.
func (b *Backend) watching(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = clientv3.WithRequireLeader(ctx)
	if b.server != nil {
		return context.WithCancel(ctx)
	}
	ctx, cancel := b.inEpoch(ctx)
	return metadata.AppendToOutgoingContext(ctx, "berth-watch", rand.Text()), cancel
}
