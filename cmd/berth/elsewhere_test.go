package main

import (
	"context"
	"errors"
	"testing"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

// TestOnlyWhatHasNotRunGoesElsewhere: a request goes to the next leader only if certainly nothing of it was done.
func TestOnlyWhatHasNotRunGoesElsewhere(t *testing.T) {
	leads := statetest.Open(t)
	follows := state.New(state.Config{Backend: mem.NewCluster().Backend()})
	put := func(ctx context.Context, s *state.Store) error {
		return s.Update(ctx, func(tx *state.Tx) error { tx.Put(&ecs.Setting{Name: "x"}); return nil })
	}
	for _, c := range []struct {
		name      string
		call      func(context.Context) error
		elsewhere bool
	}{
		{"nothing was done", func(ctx context.Context) error { return put(ctx, follows) }, true},
		{"a part was done", func(ctx context.Context) error { return errors.Join(put(ctx, leads), put(ctx, follows)) }, false},
		{"its fate is not known", func(context.Context) error { return state.ErrNotLeader }, false},
		{"it was refused", func(context.Context) error { return apierr.ClusterNotFound() }, false},
		{"it was done", func(ctx context.Context) error { return put(ctx, leads) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			operation := frontdoor.Operation{Name: "StopTask", Call: func(ctx context.Context, _ *frontdoor.Request, _ any) (any, error) {
				return nil, c.call(ctx)
			}}
			guarded := (&server{}).guarded(frontdoor.Service{Operations: []frontdoor.Operation{operation}})
			_, err := guarded.Operations[0].Call(t.Context(), &frontdoor.Request{}, nil)
			if errors.Is(err, frontdoor.ErrElsewhere) != c.elsewhere {
				t.Errorf("got %v", err)
			}
		})
	}
}
