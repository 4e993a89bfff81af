package state_test

import (
	"context"
	"sync"
	"testing"

	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

func TestObserve(t *testing.T) {
	var mu sync.Mutex
	var seen []state.Committed
	s := statetest.Start(t, state.Config{Backend: mem.NewCluster().Backend(), Address: "a", Observe: func(c state.Committed) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c)
	}})
	if err := put(s, setting("a", "1")); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	last := seen[len(seen)-1]
	if last.Records != 1 || last.Updates != 1 || last.Bytes == 0 || last.Took <= 0 || last.Outcome() != "committed" {
		t.Errorf("told %+v %s", last, last.Outcome())
	}
	if n := s.Waiting(); n != 0 {
		t.Errorf("%d updates wait after all are answered", n)
	}
	if lag, err := s.Lag(context.Background()); lag != 0 || err != nil {
		t.Errorf("a leader is %d behind, %v", lag, err)
	}
}

func TestOutcomes(t *testing.T) {
	for err, want := range map[error]string{nil: "committed", state.ErrRefused: "refused", state.ErrUnknown: "unknown", state.ErrNoSpace: "failed"} {
		if got := (state.Committed{Err: err}).Outcome(); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}
