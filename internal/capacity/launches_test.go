package capacity

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		first, last time.Duration
		failures    int
		want        time.Duration
	}{
		{10 * time.Second, time.Minute, 1, 10 * time.Second},
		{10 * time.Second, time.Minute, 2, 20 * time.Second},
		{10 * time.Second, time.Minute, 3, 40 * time.Second},
		{10 * time.Second, time.Minute, 4, time.Minute},
		{10 * time.Second, time.Minute, 1 << 40, time.Minute},
		{10 * time.Second, 0, 5, 10 * time.Second},
		{0, 0, 1, time.Second},
		{0, 3 * time.Second, 3, 3 * time.Second},
	} {
		l := Launches{Failures: c.failures, LastFailure: noon}
		if got := l.until(Rules{FirstBackoff: c.first, LastBackoff: c.last}).Sub(noon); got != c.want {
			t.Errorf("%s to %s, %d failures: pause of %s, want %s", c.first, c.last, c.failures, got, c.want)
		}
	}
}

func TestFailCountsRounds(t *testing.T) {
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	var l Launches
	for _, c := range []struct {
		launched, failed int
		reason           string
		want             int
		last             string
	}{
		{0, 10, "first", 1, "first"},
		{0, 11, "of the same round", 1, "first"},
		{10, 12, "asked for when it failed", 1, "first"},
		{20, 30, "second", 2, "second"},
		{5, 60, "late, of the first round", 2, "second"},
	} {
		l = l.Fail(at(c.launched), at(c.failed), c.reason)
		if l.Failures != c.want || l.Reason != c.last {
			t.Errorf("%s: %d failures, last %q", c.reason, l.Failures, l.Reason)
		}
	}
}
