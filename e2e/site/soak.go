package site

import (
	"flag"
	"strconv"
	"time"
)

// soak makes tests go on for longer.
var soak = flag.Duration("soak", 0, "go on with faults, chosen at random, for so long; and wait for what takes minutes")

// Soak is how long faults are to go on; 0 for the short form of all tests.
func Soak() time.Duration { return *soak }

// limit lets fewer tests run at once in a soak: what takes hours must not fail for want of processors.
func limit(parallel int) error {
	flag.Parse()
	if Soak() > time.Minute {
		parallel = 2
	}
	if parallel == 0 {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(parallel))
}
