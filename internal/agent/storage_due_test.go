package agent

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestStorageDue lets tasks write at all rates, on disks whose fill tells of it and on disks where others free as much. Who outgrows the limit is seen
// within a tick, except one that writes faster than tasks are taken to on a disk that hides it; and one that has stored less
// than half and does not write is looked at every 20 s at most.
func TestStorageDue(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		limit, hidden := (20+r.Int64N(180))*gib, r.IntN(2) == 0
		rate := r.Int64N(4 * gib)
		if hidden {
			rate %= storagePace
		}
		used := r.Int64N(limit)
		if still := r.IntN(5) == 0; still {
			rate, used = 0, used/2
		}
		now := time.Unix(1e9, 0)
		filled, last := int64(1<<40), diskLook{}
		looks, ticks := 0, 0
		for ; ticks < 2000; ticks++ {
			if storageDue(last, filled, now) {
				looks++
				if used > limit {
					break
				}
				last = diskLook{at: now, took: time.Millisecond, left: limit - used, filled: filled}
			}
			now, used = now.Add(storageTick), used+rate
			if !hidden {
				filled += rate
			}
		}
		if beyond := used - limit; rate > 0 && beyond > rate {
			t.Errorf("seed %d: a task that writes %d a second was %d beyond its limit of %d when that was seen", seed, rate, beyond, limit)
		}
		if most := ticks/20 + 1; rate == 0 && looks > most {
			t.Errorf("seed %d: %d looks in %d s at one that does not write", seed, looks, ticks)
		}
	}
}

// TestStorageRest: looks that take long are not made one after the other, and never two at once.
func TestStorageRest(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := diskLook{at: now, took: 10 * time.Second, left: 0}
	for after, want := range map[time.Duration]bool{time.Second: false, 39 * time.Second: false, 40 * time.Second: true, time.Minute: true} {
		if got := storageDue(l, 1<<40, now.Add(after)); got != want {
			t.Errorf("%v after one that took 10 s: %v", after, got)
		}
	}
	l.took = time.Hour
	if !storageDue(l, 0, now.Add(time.Minute)) {
		t.Error("one that takes an hour is not looked at again")
	}
	l.busy = true
	if storageDue(l, 1<<40, now.Add(time.Hour)) {
		t.Error("two looks at once")
	}
}
