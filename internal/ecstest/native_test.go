package ecstest

import (
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seedsFlag   = flag.Int("seeds", 3, "play so many seeds")
	firstSeed   = flag.Uint64("first", 1, "the first of them")
	within      = flag.Duration("within", 0, "play no more seeds after so long, natively and otherwise; 0 is no bound")
	scriptFlag  = flag.String("script", "", "play this script, as a failure printed it")
	seedFlag    = flag.Uint64("seed", 0, "play this seed only")
	verboseFlag = flag.Bool("logs", false, "print the logs of all processes")
)

// TestNative plays scripts in a bubble of this process: the clock is simulated, the schedule is not, so that a run differs from the next.
func TestNative(t *testing.T) {
	var seeds []uint64
	for n := range *seedsFlag {
		seeds = append(seeds, *firstSeed+uint64(n))
	}
	if *seedFlag != 0 {
		seeds = []uint64{*seedFlag}
	}
	began := time.Now()
	for _, seed := range seeds {
		if *within > 0 && time.Since(began) > *within {
			return
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var logs io.Writer
				if *verboseFlag {
					logs = os.Stderr
				}
				s := NewScript(seed)
				r := Run(s, logs)
				if r.Failed() || testing.Verbose() {
					t.Logf("%s\n%s", s, r.Trace)
				}
				for _, v := range r.Violations {
					t.Error(v)
				}
			})
		})
	}
}
