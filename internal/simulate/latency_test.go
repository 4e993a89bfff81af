package simulate

import (
	"math"
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	var hundred []time.Duration
	for n := 100; n > 0; n-- {
		hundred = append(hundred, time.Duration(n))
	}
	for _, c := range []struct {
		of   []time.Duration
		want Quantiles
	}{
		{nil, Quantiles{}}, {[]time.Duration{7}, Quantiles{7, 7, 7}}, {[]time.Duration{9, 1}, Quantiles{1, 9, 9}},
		{hundred, Quantiles{50, 99, 100}}, {[]time.Duration{math.MaxInt64, 0, 0}, Quantiles{0, math.MaxInt64, math.MaxInt64}},
	} {
		if got := quantiles(c.of); got != c.want {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

func TestLatencies(t *testing.T) {
	var l latencies
	for n := range 100 {
		l.note("A", time.Duration(n+1), nil)
	}
	l.note("A", time.Hour, errBroken)
	l.note("B", time.Hour, errBroken)
	calls, err := l.take()
	if a := calls["A"]; a.Succeeded != 100 || a.Failed != 1 || a.P99 != 99 || a.Max != 100 || calls["B"].Failed != 1 || err == nil {
		t.Errorf("%+v, %v", calls, err)
	}
	if calls, err := l.take(); len(calls) != 0 || err != nil {
		t.Errorf("taken twice: %+v, %v", calls, err)
	}
}
