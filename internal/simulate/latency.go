package simulate

import (
	"math"
	"slices"
	"sync"
	"time"
)

// Quantiles of some durations.
type Quantiles struct {
	P50 time.Duration `json:"p50"`
	P99 time.Duration `json:"p99"`
	Max time.Duration `json:"max"`
}

// quantiles sorts d. A quantile is the smallest duration that so many of them do not exceed.
func quantiles(d []time.Duration) (q Quantiles) {
	if len(d) == 0 {
		return q
	}
	slices.Sort(d)
	at := func(p float64) time.Duration { return d[min(len(d)-1, int(math.Ceil(p*float64(len(d))))-1)] }
	return Quantiles{at(0.5), at(0.99), d[len(d)-1]}
}

// Calls are the calls of one operation: how long those that succeeded took, and how many did not.
type Calls struct {
	Quantiles
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed,omitempty"`
}

// latencies keep how long calls took, by operation, until somebody takes them.
type latencies struct {
	mu     sync.Mutex
	took   map[string][]time.Duration
	failed map[string]int
	err    error // the last one
}

func (l *latencies) note(operation string, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.took == nil {
		l.took, l.failed = map[string][]time.Duration{}, map[string]int{}
	}
	if err != nil {
		l.err = err
		l.failed[operation]++
		return
	}
	l.took[operation] = append(l.took[operation], took)
}

// take returns what was noted since the last time.
func (l *latencies) take() (map[string]Calls, error) {
	l.mu.Lock()
	took, failed, err := l.took, l.failed, l.err
	l.took, l.failed, l.err = nil, nil, nil
	l.mu.Unlock()
	calls := map[string]Calls{}
	for name, d := range took {
		calls[name] = Calls{Quantiles: quantiles(d), Succeeded: len(d)}
	}
	for name, n := range failed {
		c := calls[name]
		c.Failed = n
		calls[name] = c
	}
	return calls, err
}
