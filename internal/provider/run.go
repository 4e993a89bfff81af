package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
)

// call is one run of the command.
type call struct {
	verb, member string
	env          []string
	secret       Secret // is not in what is told of the call
	output       int    // how much of stdout is of interest, in bytes
}

// run runs the command to its end, or until ctx ends or the time is over: then its process group gets a SIGTERM, and soon after a SIGKILL.
// What a command leaves running when it succeeds goes on, but cannot write to where the command could.
func (c *Command) run(ctx context.Context, l call) ([]byte, error) {
	if err := c.wait(ctx); err != nil {
		return nil, l.failed("cancelled before it began", err)
	}
	defer c.slots.Release(1)
	timed, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	p := exec.CommandContext(timed, c.path, append(slices.Clone(c.config.Args), l.verb)...)
	stdout, stderr := &head{most: l.output}, &lastLine{}
	p.Env, p.Stdout, p.Stderr, p.WaitDelay = c.environ(l), stdout, stderr, c.config.Grace
	ownGroup(p)
	stopped := false
	p.Cancel = func() error {
		stopped = true
		return terminateGroup(p)
	}
	err := p.Run()
	if err == nil || !stopped && p.ProcessState != nil && p.ProcessState.Success() { // then it is about output that somebody still holds
		if stdout.more && l.output > 0 {
			return nil, l.failed(fmt.Sprintf("it printed more than %d bytes", l.output), errTooLong)
		}
		return stdout.kept, nil
	}
	killGroup(p)
	return nil, c.failure(l, outcome{err: err, ended: ctx.Err(), stopped: stopped, said: stderr.text(l.secret)})
}

// outcome is how a run failed.
type outcome struct {
	err     error  // of the run
	ended   error  // of the caller's context
	stopped bool   // it was stopped, because its context or its time ended
	said    string // the last line of its stderr
}

// failure says why a run failed.
func (c *Command) failure(l call, o outcome) error {
	var exit *exec.ExitError
	switch {
	case o.ended != nil && (o.stopped || errors.Is(o.err, o.ended)):
		return l.failed(with("cancelled", o.said), o.ended)
	case o.stopped:
		return l.failed(with(fmt.Sprintf("not done within %s", c.config.Timeout), o.said), context.DeadlineExceeded)
	case errors.As(o.err, &exit):
		err := cmp.Or(sentinel(l.verb, exit.ExitCode()), o.err)
		return l.failed(cmp.Or(o.said, err.Error()), err) // without a word of it, "exit status 3" or "signal: killed"
	}
	return l.failed(o.err.Error(), o.err) // it was not started
}

func (l call) failed(reason string, err error) error {
	return &Failure{Verb: l.verb, Member: l.member, Reason: reason, Err: err}
}

// with adds what a command said last.
func with(what, said string) string {
	if said == "" {
		return what
	}
	return what + "; last it said: " + said
}
