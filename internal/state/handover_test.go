package state_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

// TestHandOver hands over while writers write: what is acknowledged is there, and the other replica leads at once.
func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mem.NewCluster()
		first := statetest.Start(t, state.Config{Backend: c.Backend(), Address: "first"})
		second := state.New(state.Config{Backend: c.Backend(), Address: "second"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- second.Run(ctx) }()
		defer func() { cancel(); <-done }()

		var writers sync.WaitGroup
		var mu sync.Mutex
		acknowledged := map[string]bool{}
		for w := range 8 {
			writers.Go(func() {
				for i := 0; ; i++ {
					name := fmt.Sprintf("%d/%d", w, i)
					if err := put(first, setting(name, "x")); err != nil {
						if !errors.Is(err, state.ErrNotLeader) {
							t.Errorf("%s: %v", name, err)
						}
						return
					}
					mu.Lock()
					acknowledged[name] = true
					mu.Unlock()
					time.Sleep(time.Millisecond)
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		if err := first.HandOver(ctx); err != nil {
			t.Fatal(err)
		}
		if first.Leading() {
			t.Error("it still leads")
		}
		began := time.Now()
		if err := second.Led(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the other replica leads after %v", took)
		}
		writers.Wait()
		for name := range acknowledged {
			if second.View().Settings.Get(name) == nil {
				t.Errorf("%s was acknowledged and is lost", name)
			}
		}
		if len(acknowledged) < 100 {
			t.Errorf("only %d writes", len(acknowledged))
		}
		if err := put(second, setting("after", "x")); err != nil {
			t.Error(err)
		}
		if err := first.HandOver(ctx); err != nil { // once more changes nothing
			t.Error(err)
		}
	})
}

// TestHandOverOfAFollower ends its campaign: it does not lead when the leader goes.
func TestHandOverOfAFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mem.NewCluster()
		first := statetest.Start(t, state.Config{Backend: c.Backend()})
		second := state.New(state.Config{Backend: c.Backend()})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- second.Run(ctx) }()
		defer func() { cancel(); <-done }()
		synctest.Wait()
		if err := second.HandOver(ctx); err != nil {
			t.Fatal(err)
		}
		if err := first.HandOver(ctx); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if second.Leading() || first.Leading() {
			t.Error("a replica leads that has handed over")
		}
		if err := second.Fresh(ctx); err != nil {
			t.Errorf("a replica that has handed over still reads: %v", err)
		}
	})
}
