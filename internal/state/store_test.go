package state_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

func setting(name, value string) *ecs.Setting { return &ecs.Setting{Name: name, Value: value} }

func put(s *state.Store, r ecs.Record) error {
	return s.Update(context.Background(), func(tx *state.Tx) error { tx.Put(r); return nil })
}

func TestUpdateIsSeenAndSurvives(t *testing.T) {
	c := mem.NewCluster()
	s := statetest.Start(t, state.Config{Backend: c.Backend()})
	if err := put(s, setting("a", "1")); err != nil {
		t.Fatal(err)
	}
	if got := s.View().Settings.Get("a"); got == nil || got.Value != "1" {
		t.Fatalf("View after Update: %v", got)
	}
	follower := state.New(state.Config{Backend: c.Backend()})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- follower.Run(ctx) }()
	defer func() { cancel(); <-done }()
	if err := follower.Fresh(ctx); err != nil {
		t.Fatal(err)
	}
	if got := follower.View().Settings.Get("a"); got == nil || got.Value != "1" {
		t.Fatalf("a follower's fresh view: %v", got)
	}
	if err := follower.Update(ctx, func(*state.Tx) error { return nil }); !errors.Is(err, state.ErrNotLeader) {
		t.Errorf("a follower's Update: %v", err)
	}
}

func TestClosureErrorTakesBackItsWrites(t *testing.T) {
	s := statetest.Open(t, setting("a", "1"))
	n := s.View().N
	no := errors.New("no")
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(setting("a", "2"))
		tx.Put(setting("b", "2"))
		tx.Delete(setting("a", ""))
		return no
	})
	if !errors.Is(err, no) {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx *state.Tx) error {
		if tx.Settings.Get("a").Value != "1" || tx.Settings.Get("b") != nil {
			return errors.New("the next closure sees what was taken back")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if s.View().N != n {
		t.Errorf("closures that wrote nothing made commit %d after %d", s.View().N, n)
	}
}

func TestPanicIsTheClosuresOwn(t *testing.T) {
	s := statetest.Open(t)
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		tx.Put(setting("a", "1"))
		panic("oops")
	})
	if err == nil || s.View().Settings.Get("a") != nil {
		t.Fatalf("%v", err)
	}
	if err := put(s, setting("b", "1")); err != nil {
		t.Error(err)
	}
}

func TestTooLargeClosureIsRefused(t *testing.T) {
	s := statetest.Open(t)
	err := s.Update(t.Context(), func(tx *state.Tx) error {
		for i := range state.MaxBatchWrites + 1 {
			tx.Put(setting(fmt.Sprint(i), "x"))
		}
		return nil
	})
	if err == nil || s.View().Settings.Len() != 0 {
		t.Fatalf("%v, %d settings", err, s.View().Settings.Len())
	}
}

// TestSerialUnderLoad counts in many goroutines: no increment is lost, whatever batches are formed.
func TestSerialUnderLoad(t *testing.T) {
	s := statetest.Open(t)
	var wg sync.WaitGroup
	for g := range 50 {
		wg.Go(func() {
			for i := range 40 {
				if err := s.Update(t.Context(), func(tx *state.Tx) error {
					n := 0
					if r := tx.Settings.Get("n"); r != nil {
						fmt.Sscan(r.Value, &n)
					}
					tx.Put(setting("n", fmt.Sprint(n+1)))
					for j := range i % 4 * 30 {
						tx.Put(setting(fmt.Sprint("x", g, j), "v"))
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := s.View().Settings.Get("n").Value; got != "2000" {
		t.Errorf("counted %s of 2000", got)
	}
}

func TestDefiniteErrorFailsOnlyWhatStoodOnIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mem.NewCluster().Backend()
		s := statetest.Start(t, state.Config{Backend: b})
		full := errors.New("disk full")
		b.Faults.Next(mem.Fault{Outcome: mem.Slow, After: time.Second}, mem.Fault{Outcome: mem.Failed, Err: full})
		zeroth, first := make(chan error, 1), make(chan error, 1)
		go func() { zeroth <- put(s, setting("z", "1")) }()
		time.Sleep(100 * time.Millisecond)
		go func() { first <- put(s, setting("a", "1")) }() // waits for the slow one
		time.Sleep(100 * time.Millisecond)
		second := make(chan error, 1) // sees a, which will not be there
		go func() {
			second <- s.Update(t.Context(), func(tx *state.Tx) error {
				if tx.Settings.Get("a") == nil {
					return errors.New("a is not visible to the next closure")
				}
				return nil
			})
		}()
		if err := <-zeroth; err != nil {
			t.Errorf("zeroth: %v", err)
		}
		if err := <-first; !errors.Is(err, full) {
			t.Errorf("first: %v", err)
		}
		if err := <-second; !errors.Is(err, full) {
			t.Errorf("second, which wrote nothing: %v", err)
		}
		if s.View().Settings.Get("a") != nil {
			t.Error("a dropped record is visible")
		}
		if err := put(s, setting("b", "1")); err != nil || !s.Leading() {
			t.Errorf("afterwards: %v, leading %v", err, s.Leading())
		}
	})
}

func TestUnknownOutcomeIsFoundOut(t *testing.T) {
	for _, c := range []struct {
		fault   mem.Fault
		applied bool
	}{
		{mem.Fault{Outcome: mem.LostAnswer}, true},
		{mem.Fault{Outcome: mem.LostRequest}, false},
		{mem.Fault{Outcome: mem.Late, After: 5 * time.Second}, false}, // the empty commit takes its number first
	} {
		synctest.Test(t, func(t *testing.T) {
			b := mem.NewCluster().Backend()
			s := statetest.Start(t, state.Config{Backend: b})
			b.Faults.Next(c.fault)
			err := put(s, setting("a", "1"))
			time.Sleep(time.Minute)
			if got := s.View().Settings.Get("a") != nil; got != c.applied || (err == nil) != c.applied {
				t.Errorf("%+v: error %v, visible %v", c.fault, err, got)
			}
			if err := put(s, setting("b", "1")); err != nil {
				t.Errorf("%+v: afterwards: %v", c.fault, err)
			}
		})
	}
}

// TestLeaderReadsWhatAFollowerHasRead: a commit whose answer does not come is seen by a follower first. The leader, though its lease holds,
// must not answer from before it.
func TestLeaderReadsWhatAFollowerHasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mem.NewCluster()
		b := c.Backend()
		leader := statetest.Start(t, state.Config{Backend: b})
		ctx, cancel := context.WithCancel(t.Context())
		follower, ended := state.New(state.Config{Backend: c.Backend()}), make(chan error, 1)
		go func() { ended <- follower.Run(ctx) }()
		defer func() { cancel(); <-ended }()

		b.Faults.Next(mem.Fault{Outcome: mem.LostAnswer})
		b.Faults.Head(errors.New("no answer"))
		wrote := make(chan error, 1)
		go func() { wrote <- put(leader, setting("a", "1")) }()
		synctest.Wait()
		if err := follower.Fresh(ctx); err != nil || follower.View().Settings.Get("a") == nil {
			t.Fatalf("the follower does not see the commit: %v", err)
		}
		short, stop := context.WithTimeout(ctx, time.Second)
		defer stop()
		if err := leader.Fresh(short); !errors.Is(err, context.DeadlineExceeded) || !leader.Leading() {
			t.Errorf("the leader's view is said to be fresh (%v) and has the commit: %v", err, leader.View().Settings.Get("a") != nil)
		}
		b.Faults.Head(nil)
		if err := leader.Fresh(ctx); err != nil || leader.View().Settings.Get("a") == nil {
			t.Errorf("when its outcome is known: %v", err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

// TestLateArrivalBeforeTheBarrier: a commit of unknown outcome arrives while the empty commit is on its way that would have taken its number.
// It is applied, its caller is told so, and the leader goes on.
func TestLateArrivalBeforeTheBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mem.NewCluster().Backend()
		terms := 0
		s := statetest.Start(t, state.Config{Backend: b, Lead: func(ctx context.Context) error {
			terms++
			<-ctx.Done()
			return nil
		}})
		b.Faults.Next(mem.Fault{Outcome: mem.Late, After: 200 * time.Millisecond}, mem.Fault{Outcome: mem.Slow, After: time.Second})
		if err := put(s, setting("a", "1")); err != nil {
			t.Errorf("got %v for what is stored", err)
		}
		if s.View().Settings.Get("a") == nil {
			t.Error("what was acknowledged is not there")
		}
		if err := put(s, setting("a", "2")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if terms != 1 {
			t.Errorf("it led %d times", terms)
		}
	})
}

func TestUnknownForTooLongStepsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mem.NewCluster().Backend()
		s := statetest.Start(t, state.Config{Backend: b})
		b.Faults.Next(mem.Fault{Outcome: mem.LostAnswer})
		b.Faults.Head(errors.New("no quorum"))
		if err := put(s, setting("a", "1")); !errors.Is(err, state.ErrNotLeader) {
			t.Errorf("got %v: the caller must not be told that nothing changed", err)
		}
		b.Faults.Head(nil)
		if err := s.Led(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.View().Settings.Get("a") == nil {
			t.Error("what was applied is lost after the reload")
		}
	})
}

func TestRefusedStepsDownAndLeadsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mem.NewCluster().Backend()
		begun := make(chan context.Context, 2)
		s := statetest.Start(t, state.Config{Backend: b, Lead: func(ctx context.Context) error {
			begun <- ctx
			<-ctx.Done()
			return nil
		}})
		b.Faults.Next(mem.Fault{Outcome: mem.Refused})
		if err := put(s, setting("a", "1")); !errors.Is(err, state.ErrNotLeader) {
			t.Errorf("got %v", err)
		}
		if err := s.Led(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := put(s, setting("a", "2")); err != nil {
			t.Error(err)
		}
		if one, two := <-begun, <-begun; one.Err() == nil || two.Err() != nil {
			t.Errorf("the first term: %v, the second: %v", one.Err(), two.Err())
		}
	})
}

func TestSubscriptionMissesNothing(t *testing.T) {
	s := statetest.Open(t, setting("old", "1"))
	sub := s.Subscribe()
	defer sub.Close()
	b, err := sub.Next(t.Context())
	if err != nil || !b.Resync || b.Settings.Get("old") == nil {
		t.Fatalf("first look: %+v, %v", b, err)
	}
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			if err := put(s, setting(fmt.Sprint(i), "1")); err != nil {
				t.Error(err)
			}
		})
	}
	seen := map[string]bool{}
	for len(seen) < 300 {
		b, err := sub.Next(t.Context())
		if err != nil || b.Resync {
			t.Fatalf("%+v, %v", b, err)
		}
		for _, c := range b.Changes {
			seen[c.Record().Key()] = true
		}
	}
	wg.Wait()
}

// TestAnothersCommitIsNotMistakenForOurs: a leader that was cut off does not know what became of its commit. When it sees the store again, the
// next leader has made a commit of the same number.
func TestAnothersCommitIsNotMistakenForOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := mem.NewCluster()
		old := cluster.Backend()
		s := statetest.Start(t, state.Config{Backend: old})
		if err := put(s, setting("before", "1")); err != nil {
			t.Fatal(err)
		}
		old.Faults.Cut()
		told := make(chan error, 1)
		go func() { told <- put(s, setting("lost", "1")) }()
		time.Sleep(12 * time.Second) // its commit has given up, and it asks
		next := statetest.Start(t, state.Config{Backend: cluster.Backend()})
		if err := put(next, setting("other", "1")); err != nil {
			t.Fatal(err)
		}
		old.Faults.Heal()
		if err := <-told; err == nil {
			t.Error("the write was acknowledged and is nowhere")
		}
		if next.View().Settings.Get("lost") != nil {
			t.Error("a deposed leader's write was applied")
		}
	})
}
