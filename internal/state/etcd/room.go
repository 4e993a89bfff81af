package etcd

import (
	"context"
	"time"
)

// fullGivesWay is how long a member without room waits before it stands: the others, which may have some, look for it in a moment.
const fullGivesWay = 2 * time.Second

// makeWay gives up what a member leads when its disk is full: all of the cluster would have to refuse writes for the sake of one disk. Where
// no other member has room either, this one leads again, and says so.
func (b *Backend) makeWay(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t := b.term.Load()
	if t == nil {
		return
	}
	b.config.Log.Warn("this member has no room and gives up the leadership")
	if err := b.StepAside(ctx); err != nil {
		b.config.Log.Warn("etcd's leadership stays here", "err", err)
	}
	if err := t.Resign(ctx); err != nil {
		b.config.Log.Warn("the leadership ends by itself", "err", err)
	}
}

// letOthersFirst waits a moment where this is a cluster's member without room.
func (b *Backend) letOthersFirst(ctx context.Context) {
	if b.config.Cluster == nil {
		return
	}
	if _, level := b.Space(); level == Critical {
		pause(ctx, fullGivesWay)
	}
}
