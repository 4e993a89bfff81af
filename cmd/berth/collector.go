package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// The collector trades memory for time: what records hold lives long, what requests leave behind does not, so the heap may grow to several
// times what lives. The more lives, the less of that it may, so that a server of a hundred thousand tasks stays within two gigabytes.
const (
	mostPercent  = 250
	leastPercent = 50
	heapTarget   = 1600 << 20 // bytes
)

// percentFor is the collector's percentage for a heap of which so many bytes live.
func percentFor(live uint64) int {
	if live == 0 {
		return mostPercent
	}
	room := int64(heapTarget) - int64(live)
	return int(min(mostPercent, max(leastPercent, 100*room/int64(live))))
}

// collector sets the percentage after every collection, until it is stopped.
type collector struct {
	percent int // touched by the finalizers' goroutine only, after start
	stopped atomic.Bool
}

// startCollector does nothing where GOGC says what is wished.
func startCollector() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	c := &collector{percent: mostPercent}
	before := debug.SetGCPercent(c.percent)
	c.arm()
	return func() {
		c.stopped.Store(true)
		debug.SetGCPercent(before)
	}
}

// arm leaves an object that the next collection finds to be garbage, and tells so.
func (c *collector) arm() {
	type mark struct{ _ *byte } // with a pointer, so that it is not put together with other small objects
	runtime.SetFinalizer(&mark{}, func(*mark) {
		if !c.stopped.Load() {
			c.adjust()
			c.arm()
		}
	})
}

func (c *collector) adjust() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := percentFor(live[0].Value.Uint64())
	if percent > c.percent-10 && percent < c.percent+10 && percent != mostPercent {
		return // setting it stops the world
	}
	if percent != c.percent {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}
