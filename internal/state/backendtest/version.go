package backendtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"berth/internal/state"
)

func versionIsRaised(t *testing.T, c Cluster) {
	newer := c.Version(t, "newer", 2)
	c.Version(t, "older", 1)
	term := lead(t, newer, "newer")
	if v := term.Version(); v != 1 {
		t.Fatalf("a new store's record version is %d with an older replica beside, want 1", v)
	}
	raised := make(chan int, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		v, err := term.Raise(deadline(t))
		if err != nil {
			t.Errorf("raise: %v", err)
		}
		raised <- v
	}()
	select {
	case v := <-raised:
		t.Fatalf("the record version is %d although a replica does not know it", v)
	case <-time.After(200 * time.Millisecond):
	}
	again := c.Version(t, "older", 3)
	<-ended
	if v := <-raised; v != 2 || term.Version() != 2 {
		t.Fatalf("the record version is %d and %d, want 2: what all know", v, term.Version())
	}
	commit(t, term, 1, put("k", 1))
	if err := term.Resign(deadline(t)); err != nil {
		t.Fatal(err)
	}
	next := lead(t, again, "older")
	if v := next.Version(); v != 2 {
		t.Errorf("the next leader finds record version %d, want 2", v)
	}
	if _, err := term.Raise(deadline(t)); err == nil {
		t.Error("a deposed leader has raised the record version")
	}
	wantRecords(t, again, 1, put("k", 1))
}

func nobodyLeadsOverNewer(t *testing.T, c Cluster) {
	term := lead(t, c.Version(t, "newer", 2), "newer")
	if v, err := term.Raise(deadline(t)); err != nil || v != 2 {
		t.Fatalf("raise: %d, %v, want 2", v, err)
	}
	commit(t, term, 1, put("k", 1))
	if err := term.Resign(deadline(t)); err != nil {
		t.Fatal(err)
	}
	older := c.Version(t, "older", 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := older.Campaign(ctx, "older"); !errors.Is(err, state.ErrNewer) {
		t.Fatalf("the campaign of an older replica: %v, want %v", err, state.ErrNewer)
	}
	wantRecords(t, older, 1, put("k", 1)) // it follows
}
