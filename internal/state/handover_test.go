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

// tried is an Update of one record whose outcome and trial are looked at.
type tried struct {
	err     error
	trial   *state.Trial
	ran     bool
	waiting sync.WaitGroup
}

func try(s *state.Store, name string) *tried {
	x := &tried{}
	ctx, trial := state.WithTrial(context.Background())
	x.trial = trial
	x.waiting.Go(func() {
		x.err = s.Update(ctx, func(tx *state.Tx) error {
			x.ran = true
			tx.Put(setting(name, "x"))
			return nil
		})
	})
	return x
}

// TestHandOverSaysWhatHasNotRun: an Update that comes while the leadership is handed over waits, and is then refused as one that may be done
// elsewhere. What was taken before is committed.
func TestHandOverSaysWhatHasNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mem.NewCluster()
		b := c.Backend()
		first := statetest.Start(t, state.Config{Backend: b, Address: "first"})
		b.Faults.Next(mem.Fault{Outcome: mem.Slow, After: time.Second})
		flying := try(first, "flying")
		synctest.Wait()
		filling := try(first, "filling")
		synctest.Wait()
		over := make(chan error, 1)
		go func() { over <- first.HandOver(t.Context()) }()
		synctest.Wait()
		if !first.Leading() {
			t.Fatal("it gave up with a commit on its way")
		}
		late := try(first, "late")
		if err := <-over; err != nil {
			t.Fatal(err)
		}
		later := try(first, "later")
		for name, x := range map[string]*tried{"flying": flying, "filling": filling} {
			x.waiting.Wait()
			if x.err != nil || !x.trial.Ran() {
				t.Errorf("%s: %v, ran %v", name, x.err, x.trial.Ran())
			}
		}
		for name, x := range map[string]*tried{"late": late, "later": later} {
			x.waiting.Wait()
			if !errors.Is(x.err, state.ErrNotRun) || !errors.Is(x.err, state.ErrNotLeader) || x.ran || x.trial.Ran() {
				t.Errorf("%s: %v, ran %v, said to have run %v", name, x.err, x.ran, x.trial.Ran())
			}
			if first.View().Settings.Get(name) != nil {
				t.Errorf("%s is there", name)
			}
		}
	})
}

// TestWhatRanIsNotForElsewhere: a closure that ran in a term that was lost is never said not to have, whatever became of its commit.
func TestWhatRanIsNotForElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mem.NewCluster()
		b := c.Backend()
		s := statetest.Start(t, state.Config{Backend: b})
		b.Faults.Next(mem.Fault{Outcome: mem.Slow, After: time.Second}, mem.Fault{Outcome: mem.Refused})
		flying := try(s, "flying")
		synctest.Wait()
		one, other := try(s, "one"), try(s, "other")
		if flying.waiting.Wait(); flying.err != nil {
			t.Error(flying.err)
		}
		for name, x := range map[string]*tried{"one": one, "other": other} {
			x.waiting.Wait()
			if !errors.Is(x.err, state.ErrNotLeader) || errors.Is(x.err, state.ErrNotRun) || !x.trial.Ran() {
				t.Errorf("%s: %v, said to have run %v", name, x.err, x.trial.Ran())
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		given, trial := state.WithTrial(ctx)
		if err := s.Led(ctx); err != nil {
			t.Fatal(err)
		}
		b.Faults.Next(mem.Fault{Outcome: mem.Slow, After: 5 * time.Second})
		time.AfterFunc(time.Second, cancel)
		if err := s.Update(given, func(tx *state.Tx) error { tx.Put(setting("slow", "x")); return nil }); err == nil || !trial.Ran() {
			t.Errorf("given up on: %v, said to have run %v", err, trial.Ran())
		}
	})
}
