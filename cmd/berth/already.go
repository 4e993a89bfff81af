package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// claimUp takes the role of `berth up`. Where another process has it, role is nil and pid is that process.
func (d dataDir) claimUp(ctx context.Context) (role *claim, pid int, err error) {
	for {
		role, err := d.claim("up")
		if !errors.Is(err, errClaimed) {
			return role, 0, err
		}
		if pid := d.pid("up"); pid != 0 {
			return nil, pid, nil
		}
		if !pauseFor(ctx, 20*time.Millisecond) { // it has not said yet who it is
			return nil, 0, ctx.Err()
		}
	}
}

// runsAlready makes a second `berth up` a wait for the first, which has to be of the same flags.
func (o *upOptions) runsAlready(c *cobra.Command, d dataDir, pid int) error {
	in, err := d.load()
	if err != nil {
		return err
	}
	if err := o.sameAs(d, "up", pid, in, c.Flags().Changed); err != nil {
		return err
	}
	s := &supervisor{data: d, in: in, options: *o, progress: c.ErrOrStderr()}
	s.say("berth up runs already (pid %d)", pid)
	for _, flag := range []string{"clean-up-after", "instance-lost-after"} {
		if c.Flags().Changed(flag) {
			s.say("--%s is what it was started with", flag)
		}
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	go d.watchUp(ctx, cancel)
	if err := s.arriveAlready(ctx); err != nil {
		if ended := context.Cause(ctx); errors.Is(ended, errUpEnded) {
			return fmt.Errorf("%w; see %s and %s", ended, d.path("up.log"), d.path("server.log"))
		}
		return err
	}
	s.finish()
	return nil
}

func (s *supervisor) arriveAlready(ctx context.Context) error {
	if err := s.waitReady(ctx); err != nil {
		return err
	}
	return s.arrive(ctx)
}

var errUpEnded = errors.New("the berth up that was waited for has ended")

// watchUp cancels when nobody is `berth up` any more.
func (d dataDir) watchUp(ctx context.Context, cancel context.CancelCauseFunc) {
	for pauseFor(ctx, 200*time.Millisecond) {
		if !d.owned("up") {
			cancel(errUpEnded)
		}
	}
}

// sameAs fails if the flags ask for something else than what a running process of a role, pid 0 if there is none, was started with.
func (o *upOptions) sameAs(d dataDir, role string, pid int, in installation, said func(flag string) bool) error {
	if pid == 0 {
		return nil
	}
	others, err := o.otherThan(role, in, said)
	if err != nil || len(others) == 0 {
		return err
	}
	return fmt.Errorf("berth %s runs already (pid %d) with %s; to change that, stop it first with `%s down%s`",
		role, pid, strings.Join(others, ", and with "), called(), d.flag())
}

// otherThan lists the flags that were said and are not as in has them, "--instances 3, not 5". The server has no instances, the agent nothing else.
func (o *upOptions) otherThan(role string, in installation, said func(flag string) bool) (others []string, err error) {
	want := in
	if err := o.keepIn(said, &want); err != nil {
		return nil, err
	}
	compare := func(flag, has, wanted string) {
		if has != wanted && said(flag) {
			others = append(others, fmt.Sprintf("--%s %s, not %s", flag, orNothing(has), orNothing(wanted)))
		}
	}
	if role != "server" {
		compare("instances", strconv.Itoa(in.Instances), strconv.Itoa(want.Instances))
		for _, flag := range sortedKeys(want.Agent) {
			compare(flag, in.Agent[flag], want.Agent[flag])
		}
	}
	if role != "agent" {
		compare("listen", in.Listen, want.Listen)
		compare("region", in.Region, want.Region)
		compare("account", in.Account, want.Account)
		compare("auth", in.Auth, want.Auth)
		for _, flag := range sortedKeys(in.Flags) {
			compare(flag, in.Flags[flag], want.Flags[flag])
		}
	}
	return others, nil
}

// orNothing shows a value that may be empty.
func orNothing(v string) string {
	if v == "" {
		return `""`
	}
	return v
}
