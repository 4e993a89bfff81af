package reconcile

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// start runs a loop that counts looks per key, inside a synctest bubble.
func start(t *testing.T, l *Loop[string]) (looks func(string) int) {
	t.Helper()
	var mu sync.Mutex
	counts := map[string]int{}
	inner := l.Reconcile
	l.Reconcile = func(ctx context.Context, k string) (time.Time, error) {
		mu.Lock()
		counts[k]++
		mu.Unlock()
		if inner == nil {
			return time.Time{}, nil
		}
		return inner(ctx, k)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return func(k string) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[k]
	}
}

func TestManyEventsAreFewLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Loop[string]{}
		looks := start(t, l)
		l.Add("a")
		synctest.Wait()
		if looks("a") != 1 {
			t.Fatalf("the first event waits: %d looks", looks("a"))
		}
		for range 100 {
			l.Add("a")
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		if n := looks("a"); n < 4 || n > 7 {
			t.Errorf("%d looks in 100 ms at one in 20 ms", n)
		}
	})
}

func TestEventDuringALookIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Loop[string]{Reconcile: func(context.Context, string) (time.Time, error) {
			time.Sleep(time.Second)
			return time.Time{}, nil
		}}
		looks := start(t, l)
		l.Add("a")
		time.Sleep(500 * time.Millisecond)
		l.Add("a")
		time.Sleep(10 * time.Second)
		if n := looks("a"); n != 2 {
			t.Errorf("%d looks", n)
		}
	})
}

func TestAgainAndErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail atomic.Bool
		fail.Store(true)
		l := &Loop[string]{Reconcile: func(_ context.Context, k string) (time.Time, error) {
			switch {
			case k == "bad" && fail.Load():
				return time.Time{}, errors.New("no")
			case k == "timed":
				return time.Now().Add(time.Minute), nil
			}
			return time.Time{}, nil
		}}
		looks := start(t, l)
		l.Add("bad", "timed")
		time.Sleep(10*time.Minute + time.Second)
		if n := looks("timed"); n != 11 {
			t.Errorf("timed: %d looks in ten minutes", n)
		}
		if n := looks("bad"); n < 50 || n > 200 {
			t.Errorf("bad: %d looks in ten minutes", n)
		}
		fail.Store(false)
		time.Sleep(time.Minute)
		before := looks("bad")
		time.Sleep(time.Hour)
		if looks("bad") != before {
			t.Error("a key that is fine is looked at again and again")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.keys) != 1 {
			t.Errorf("%d keys are kept", len(l.keys))
		}
	})
}

func TestDepthAndObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type look struct {
			loop string
			took time.Duration
			err  error
		}
		looked := make(chan look, 3)
		broken := errors.New("broken")
		l := &Loop[string]{
			Name: "things", Workers: 1, Every: time.Hour,
			Reconcile: func(context.Context, string) (time.Time, error) { time.Sleep(time.Second); return time.Time{}, broken },
			Observe:   func(loop string, took time.Duration, err error) { looked <- look{loop, took, err} },
		}
		start(t, l)
		l.Add("a", "b", "c")
		synctest.Wait()
		if n := l.Depth(); n != 2 {
			t.Errorf("%d keys wait for the only worker, want 2", n)
		}
		if got := <-looked; got != (look{"things", time.Second, broken}) {
			t.Errorf("observed %v", got)
		}
	})
}
