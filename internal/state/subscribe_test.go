package state_test

import (
	"context"
	"fmt"
	"testing"

	"berth/internal/state"
	"berth/internal/state/statetest"
)

// TestSlowSubscriberIsToldToLookAgain: who does not ask for changes holds up no commit and no memory: behind some tens of thousands of them it
// gets a single Resync, and after it changes again.
func TestSlowSubscriberIsToldToLookAgain(t *testing.T) {
	s := statetest.Open(t)
	slow, quick := s.Subscribe(), s.Subscribe()
	defer slow.Close()
	defer quick.Close()
	for _, sub := range []*state.Subscription{slow, quick} {
		if b, err := sub.Next(t.Context()); err != nil || !b.Resync {
			t.Fatalf("first look: %+v, %v", b, err)
		}
	}
	told := 0
	for n := range 600 {
		if err := s.Update(context.Background(), func(tx *state.Tx) error {
			for k := range 100 {
				tx.Put(setting(fmt.Sprint(k), fmt.Sprint(n)))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		b, err := quick.Next(t.Context())
		if err != nil || b.Resync {
			t.Fatalf("commit %d, one who keeps up: %+v, %v", n, b, err)
		}
		told += len(b.Changes)
	}
	if told != 60_000 {
		t.Errorf("one who keeps up was told %d changes", told)
	}
	b, err := slow.Next(t.Context())
	if err != nil || !b.Resync || len(b.Changes) != 0 || b.Settings.Get("99").Value != "599" {
		t.Errorf("one who is far behind: resync %v, %d changes, %v", b.Resync, len(b.Changes), err)
	}
	if err := put(s, setting("next", "1")); err != nil {
		t.Fatal(err)
	}
	if b, err := slow.Next(t.Context()); err != nil || b.Resync || len(b.Changes) != 1 {
		t.Errorf("then: resync %v, %d changes, %v", b.Resync, len(b.Changes), err)
	}
}
