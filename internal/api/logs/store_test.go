package logs

import (
	"context"
	"errors"
	"testing"

	"berth/internal/logs"
	"berth/internal/logstore"
)

// full is a store that is full.
type full struct{ *logstore.Store }

func (full) Create(context.Context, logs.StreamName, logs.Time) error { return logs.ErrFull }
func (full) Append(context.Context, logs.StreamName, []logs.Event, logs.Time) error {
	return logs.ErrFull
}

// undropping is a store that drops nothing.
type undropping struct{ *logstore.Store }

func (undropping) Drop(context.Context, logs.Span) error {
	return errors.New("the disk does not answer")
}

// TestSweepOfDeleted: what a deleted group has left goes in the next sweep.
func TestSweepOfDeleted(t *testing.T) {
	a := busy(t)
	a.api.streams = undropping{a.kept}
	a.must(t, "DeleteLogGroup", `{"logGroupName":"g"}`)
	if len(a.everything(t)) == 0 {
		t.Fatal("nothing is left to sweep")
	}
	if err := a.api.Sweep(t.Context()); err == nil {
		t.Error("a sweep that could not sweep says nothing")
	}
	a.api.streams = a.kept
	if err := a.api.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := a.everything(t); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}
