// Package statetest opens stores in memory for tests.
package statetest

import (
	"context"
	"testing"

	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/mem"
)

// Open returns a leading store in memory that holds records. It is stopped when the test ends.
func Open(t testing.TB, records ...ecs.Record) *state.Store {
	t.Helper()
	return Start(t, state.Config{Backend: mem.NewCluster().Backend(), Address: "test"}, records...)
}

// Start runs a store on c until the test ends and waits until it leads.
func Start(t testing.TB, c state.Config, records ...ecs.Record) *state.Store {
	t.Helper()
	s := state.New(c)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("store: %v", err)
		}
	})
	if err := s.Led(ctx); err != nil {
		t.Fatal(err)
	}
	for len(records) > 0 {
		n := min(100, len(records))
		if err := s.Update(ctx, func(tx *state.Tx) error {
			for _, r := range records[:n] {
				tx.Put(r)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		records = records[n:]
	}
	return s
}
