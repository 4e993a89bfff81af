package session

import "time"

// pace estimates how long an acknowledgement takes, and so when a message is lost, as TCP does (RFC 6298) and the plugin with it.
type pace struct {
	mean, deviation time.Duration
	timeout         time.Duration
}

const (
	slowest  = time.Second
	fastest  = 100 * time.Millisecond
	variance = 10 * time.Millisecond // at least
)

func newPace() pace { return pace{mean: 100 * time.Millisecond, timeout: 200 * time.Millisecond} }

// took takes a measured round trip into account.
func (p *pace) took(d time.Duration) {
	p.deviation += ((p.mean - d).Abs() - p.deviation) / 4
	p.mean += (d - p.mean) / 8
	p.timeout = min(slowest, max(fastest, p.mean+max(variance, 4*p.deviation)))
}
