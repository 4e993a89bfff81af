package main

import (
	"runtime/debug"
	"testing"
)

func TestPercentFor(t *testing.T) {
	last := mostPercent
	for live := uint64(0); live < 4<<30; live += 10 << 20 {
		got := percentFor(live)
		if got > last || got > mostPercent || got < leastPercent {
			t.Fatalf("%d MiB: %d %%, after %d %%", live>>20, got, last)
		}
		if total := live + live*uint64(got)/100; total > heapTarget && got > leastPercent {
			t.Errorf("%d MiB at %d %% grow to %d MiB", live>>20, got, total>>20)
		}
		last = got
	}
	if percentFor(300<<20) != mostPercent || last != leastPercent {
		t.Errorf("a small heap gets %d %%, a very large one %d %%", percentFor(300<<20), last)
	}
}

func TestCollectorAdjustsAndStops(t *testing.T) {
	before := debug.SetGCPercent(77)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "")
	stop := startCollector()
	if got := debug.SetGCPercent(mostPercent); got != mostPercent {
		t.Errorf("it starts at %d %%", got)
	}
	stop()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("afterwards it is %d %%, not what it was", got)
	}
	t.Setenv("GOGC", "100")
	startCollector()()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("with GOGC it sets %d %%", got)
	}
}
