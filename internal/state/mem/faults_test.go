package mem_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/state"
	"berth/internal/state/mem"
)

func lead(t *testing.T, b *mem.Backend) state.Term {
	t.Helper()
	term, err := b.Campaign(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func TestRefusedOnDemand(t *testing.T) {
	b := mem.NewCluster().Backend()
	term := lead(t, b)
	b.Faults.Next(mem.Fault{Outcome: mem.Refused})
	if err := term.Commit(t.Context(), 1, nil); !errors.Is(err, state.ErrRefused) {
		t.Errorf("commit: %v, want ErrRefused", err)
	}
	if m, err := b.Head(t.Context()); m.N != 0 || err != nil {
		t.Errorf("head is %+v, %v", m, err)
	}
}

func TestSlowCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := mem.NewCluster().Backend()
		term, start := lead(t, b), time.Now()
		b.Faults.Next(mem.Fault{Outcome: mem.Slow, After: 5 * time.Second}, mem.Fault{Outcome: mem.Slow, After: 5 * time.Second})
		if err := term.Commit(t.Context(), 1, nil); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("commit: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := term.Commit(ctx, 2, nil); !errors.Is(err, state.ErrUnknown) {
			t.Errorf("commit beyond its time: %v, want ErrUnknown", err)
		}
	})
}

func TestHeadFails(t *testing.T) {
	b := mem.NewCluster().Backend()
	lost := errors.New("no answer")
	b.Faults.Head(lost)
	if _, err := b.Head(t.Context()); !errors.Is(err, lost) {
		t.Errorf("head: %v, want the injected error", err)
	}
	b.Faults.Head(nil)
	if _, err := b.Head(t.Context()); err != nil {
		t.Errorf("head after the fault: %v", err)
	}
}

// TestCutAndHealed: a replica that sleeps for less than its lease goes on; one that sleeps for longer learns that it is deposed.
func TestCutAndHealed(t *testing.T) {
	for _, c := range []struct {
		cut  time.Duration
		want error
	}{{mem.Lease / 2, nil}, {2 * mem.Lease, state.ErrRefused}} {
		synctest.Test(t, func(t *testing.T) {
			b := mem.NewCluster().Backend()
			term := lead(t, b)
			b.Faults.Cut()
			time.Sleep(c.cut)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := term.Commit(ctx, 1, nil); !errors.Is(err, state.ErrUnknown) {
				t.Errorf("commit while cut: %v, want ErrUnknown", err)
			}
			b.Faults.Heal()
			if err := term.Commit(t.Context(), 1, nil); !errors.Is(err, c.want) {
				t.Errorf("commit after %v: %v, want %v", c.cut, err, c.want)
			}
			select {
			case <-term.Done():
				if c.want == nil {
					t.Error("done after a short sleep")
				}
			default:
				if c.want != nil {
					t.Error("not done after a long sleep")
				}
			}
			time.Sleep(2 * mem.Lease)
			if at, _ := term.Confirmed(); c.want == nil && time.Since(at) != 0 {
				t.Errorf("confirmed %v ago", time.Since(at))
			}
		})
	}
}
