package controller

import (
	"context"

	"golang.org/x/sync/errgroup"

	"berth/internal/reconcile"
	"berth/internal/state"
)

// work runs a controller's loop, what tells it of changes, and what else it does, until ctx ends.
func work[K comparable](ctx context.Context, loop *reconcile.Loop[K], s *state.Store, all func(*state.Snapshot),
	one func(*state.Snapshot, state.Change), more ...func(context.Context) error,
) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return loop.Run(ctx) })
	g.Go(func() error { return watch(ctx, s, all, one) })
	for _, f := range more {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

// watch calls all at first and whenever changes were left out, and else one for each change, until ctx ends.
func watch(ctx context.Context, s *state.Store, all func(*state.Snapshot), one func(*state.Snapshot, state.Change)) error {
	s.Subscribe().Each(ctx, func(b state.Batch) {
		if b.Resync {
			all(b.Snapshot)
		}
		for _, c := range b.Changes {
			one(b.Snapshot, c)
		}
	})
	return nil
}
