package docker_test

import (
	"context"
	"testing"
	"time"

	"berth/internal/agent"
)

// TestHold: a container that is held up does nothing and counts as running; it goes on when it may, it can be stopped as any other, and asking twice is as asking once.
func TestHold(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, false, `trap 'echo over; exit 3' TERM; while :; do echo tick; /bin/sleep 0.1 & wait; done`)
	read(t, e, id, time.Time{}, func(string) bool { return true })
	for range 2 {
		if err := e.Hold(t.Context(), id, true); err != nil {
			t.Fatal(err)
		}
	}
	if o, err := e.Inspect(t.Context(), id); err != nil || o.State != agent.Running {
		t.Errorf("held up, it is %+v, %v", o, err)
	}
	from := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := e.Lines(ctx, id, from, func(l agent.LogLine) error { t.Errorf("held up, it says %q", l.Text); return nil }); ctx.Err() == nil {
		t.Error(err)
	}
	for range 2 {
		if err := e.Hold(t.Context(), id, false); err != nil {
			t.Fatal(err)
		}
	}
	read(t, e, id, from, func(string) bool { return true })
	if err := e.Hold(t.Context(), id, true); err != nil {
		t.Fatal(err)
	}
	if err := e.Stop(t.Context(), id, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if o, err := e.Inspect(t.Context(), id); err != nil || o.State != agent.Exited || o.ExitCode != 3 {
		t.Errorf("stopped, it is %+v, %v", o, err)
	}
	for _, held := range []bool{true, false} { // it does not run, and then it is not there
		if err := e.Hold(t.Context(), id, held); err != nil {
			t.Error(err)
		}
		if err := e.Hold(t.Context(), "nobody", held); err != nil {
			t.Error(err)
		}
	}
}
