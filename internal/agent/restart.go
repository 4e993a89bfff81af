package agent

import (
	"slices"
	"time"

	"berth/internal/acsproto"
)

// restartPeriod is how long a container must have run to be started again, where its policy does not say.
const restartPeriod = 300 * time.Second

// begun says whether a container has started, be it that it is about to start again.
func (c *Container) begun() bool { return c.Phase >= Up || c.Restarts > 0 }

// pendingRestart says whether a container has ended and is to be started again.
func (c *Container) pendingRestart() bool { return c.Phase == Made && c.Restarts > 0 }

// restartable says whether the end of a container may be the beginning of its next run: then the engine must be looked at, because only its
// own times tell one run's end from another's.
func (r *Record) restartable(c *Container) bool {
	if c.Restarts > 0 {
		return true
	}
	p := r.ordered(c.Name).RestartPolicy
	return p != nil && p.Enabled && !r.stopping() && !c.StopSent
}

// restarts says whether a container that has ended is started again: its policy says so, nobody stops it, its exit code is not an ignored
// one, and it ran for long enough.
func (r *Record) restarts(c *Container, o *Observed) bool {
	p := r.ordered(c.Name).RestartPolicy
	if p == nil || !p.Enabled || r.stopping() || c.StopSent || c.Doomed {
		return false
	}
	return !slices.Contains(p.IgnoredExitCodes, int32(o.ExitCode)) && o.FinishedAt.Sub(o.StartedAt) >= period(p)
}

func period(p *acsproto.RestartPolicy) time.Duration {
	if p.RestartAttemptPeriod > 0 {
		return time.Duration(p.RestartAttemptPeriod) * time.Second
	}
	return restartPeriod
}

// again notes a run that has ended and is to be repeated.
func (c *Container) again(o *Observed, now time.Time) {
	exit := o.ExitCode
	c.Phase, c.ExitCode, c.FinishedAt, c.OOMAt, c.Facts = Made, &exit, o.FinishedAt, time.Time{}, nil
	c.Restarts++
	c.untold++
	if c.Health != "" {
		c.healthIs("UNKNOWN", now)
	}
}

// repeated says whether the engine shows the run that is to be repeated, which it has not begun to yet.
func (c *Container) repeated(o *Observed) bool {
	return c.pendingRestart() && !c.Doomed && !o.StartedAt.After(c.FinishedAt)
}
