package agent

import (
	"math/rand/v2"
	"time"
)

// pause is how long to leave alone what has just failed. It doubles while it goes on failing. The zero value is no pause.
type pause struct {
	length time.Duration
	until  time.Time
}

// The shortest and the longest pause.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
)

// fail makes the pause longer and begins it, spread by a fifth in both directions.
func (p *pause) fail(now time.Time) {
	p.length = min(max(2*p.length, firstPause), lastPause)
	p.until = now.Add(time.Duration(float64(p.length) * (0.8 + 0.4*rand.Float64())))
}

// over says whether the pause is over, and reset ends it.
func (p *pause) over(now time.Time) bool { return !now.Before(p.until) }
func (p *pause) reset()                  { *p = pause{} }

// earlier returns the earlier of two times of which a zero one means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
