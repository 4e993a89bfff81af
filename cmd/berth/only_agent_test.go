package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestOnlyAgent: a machine has one agent of an installation, whatever data directory it is from, and the next one takes over when it ends.
func TestOnlyAgent(t *testing.T) {
	var out bytes.Buffer
	log, id := slog.New(slog.NewTextHandler(&out, nil)), "only-"+strings.ToLower(t.Name())
	first, err := onlyAgent(t.Context(), id, 0, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onlyAgent(t.Context(), id, 0, log); !errors.Is(err, errNotOnly) {
		t.Errorf("a second one: %v", err)
	}
	other, err := onlyAgent(t.Context(), id+"2", 0, log)
	if err != nil {
		t.Fatalf("one of another installation: %v", err)
	}
	other()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := onlyAgent(gone, id, time.Hour, log); !errors.Is(err, context.Canceled) {
		t.Errorf("one that is told to end: %v", err)
	}
	out.Reset()
	time.AfterFunc(250*time.Millisecond, first)
	second, err := onlyAgent(t.Context(), id, time.Minute, log)
	if err != nil {
		t.Fatal(err)
	}
	second()
	if got := strings.Count(out.String(), "waiting for another agent"); got != 1 {
		t.Errorf("it has told %d times that it waits:\n%s", got, &out)
	}
}
