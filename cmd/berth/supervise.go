package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// supervisor keeps the processes of `berth up` running: the server and the agent.
type supervisor struct {
	data     dataDir
	in       installation
	options  upOptions
	progress io.Writer
	try      string      // the address of a Fargate task that answers, if the demo has one
	ready    atomic.Bool // once the control plane has served
}

// say tells the user how far things are.
func (s *supervisor) say(format string, a ...any) { fmt.Fprintf(s.progress, format+"\n", a...) }

// runUp starts everything, says when it is ready, and keeps it running until ctx ends. It has the role "up", and tells its progress to pipe as
// well, which is nil without --detach.
func runUp(ctx context.Context, role *claim, in installation, o upOptions, stderr io.Writer, pipe *os.File) error {
	defer role.release()
	s := &supervisor{data: role.data, in: in, options: o, progress: stderr}
	if pipe != nil {
		defer pipe.Close()
		s.progress = io.MultiWriter(stderr, pipe)
	}
	if err := role.announce(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	server, err := s.serverArgs()
	if err != nil {
		return err
	}
	g.Go(func() error { return s.keep(ctx, "server", server) })
	s.say("starting the control plane on %s", s.in.Listen)
	g.Go(func() error {
		if err := s.waitReady(ctx); err != nil {
			return err
		}
		s.ready.Store(true)
		if err := s.prepareInstances(ctx); err != nil {
			return err
		}
		g.Go(func() error { return s.keep(ctx, "agent", s.agentArgs()) })
		if err := s.arrive(ctx); err != nil {
			return err
		}
		s.finish()
		if pipe != nil {
			fmt.Fprintln(pipe, readyLine)
			pipe.Close()
			s.progress = stderr
		}
		return nil
	})
	if err := g.Wait(); ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		if err != nil && pipe != nil {
			s.say("%v", err)
		}
		return err
	}
	return nil
}

// arrive waits until the instances are connected and, where asked for, the demo runs.
func (s *supervisor) arrive(ctx context.Context) error {
	c, err := openClient(string(s.data))
	if err != nil {
		return err
	}
	if err := c.waitInstances(ctx, s.in.Instances, s.say); err != nil {
		return err
	}
	if s.options.demo {
		s.try, err = c.demo(ctx, s.say)
	}
	return err
}

// finish says that everything is there, and how to go on.
func (s *supervisor) finish() {
	next := fmt.Sprintf("  eval \"$(%s env%s)\"\n  aws ecs list-services\n", called(), s.data.flag())
	if s.try != "" {
		next += fmt.Sprintf("  curl http://%s\n", s.try)
	}
	s.say("\nBerth is up at http://%s. Next:\n\n%s", s.in.Listen, next)
}

func (s *supervisor) serverArgs() ([]string, error) {
	args := []string{"server", "--data", string(s.data), "--listen", s.in.Listen, "--region", s.in.Region, "--account", s.in.Account,
		"--auth", s.in.Auth, "--instance-lost-after", s.options.lostAfter.String()}
	for _, name := range sortedKeys(s.in.Flags) {
		args = append(args, "--"+name+"="+s.in.Flags[name])
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	pool, err := s.localPool(self)
	return append(args, pool...), err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func (s *supervisor) agentArgs() []string {
	args := []string{"agent", "--data", string(s.data), "--local", "--clean-up-after", s.options.cleanUpAfter.String()}
	for _, name := range sortedKeys(s.in.Agent) {
		args = append(args, "--"+name, s.in.Agent[name])
	}
	return args
}

// waitReady waits until the control plane serves. A server that cannot start is not waited for.
func (s *supervisor) waitReady(ctx context.Context) error {
	for began := time.Now(); ; {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.in.Listen+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("control plane: %w", err)
		}
		if resp, err := http.DefaultClient.Do(r); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if time.Since(began) > time.Minute {
			return fmt.Errorf("the control plane did not start within a minute; see %s", s.data.path("server.log"))
		}
		if !pauseFor(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// keep runs a process of a role again and again until ctx ends. One that an earlier `berth up` left behind is adopted. A server that ends before it
// has ever served is not started again: it would end in the same way.
func (s *supervisor) keep(ctx context.Context, role string, args []string) error {
	for pause := 200 * time.Millisecond; ; {
		began := time.Now()
		var err error
		pid := s.data.pid(role)
		child := pid == 0
		if !child {
			s.say("adopting the running berth %s (pid %d)", role, pid)
			err = awaitPid(ctx, pid)
		} else {
			err = s.runChild(ctx, role, args)
		}
		if ctx.Err() != nil {
			return nil
		}
		if role == "server" && child && !s.ready.Load() {
			return fmt.Errorf("the control plane did not start (%v): %s; see %s", err, lastLine(s.data.path("server.log")), s.data.path("server.log"))
		}
		if time.Since(began) > time.Minute {
			pause = 200 * time.Millisecond
		}
		s.say("berth %s ended (%v), starting it again; see %s", role, err, s.data.path(role+".log"))
		if !pauseFor(ctx, pause) {
			return nil
		}
		pause = min(2*pause, 10*time.Second)
	}
}

// lastLine is the last line of a log, without the program's name before it.
func lastLine(log string) string {
	b, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "berth: ")
}

// runChild runs one process until it ends; the end of ctx asks it to end.
func (s *supervisor) runChild(ctx context.Context, role string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.data.path(role+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the supervisor alone
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	return cmd.Run()
}

// awaitPid waits for a process that is not our child; the end of ctx asks it to end.
func awaitPid(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil // it is gone
	}
	defer unix.Close(fd)
	stop := context.AfterFunc(ctx, func() { unix.Kill(pid, unix.SIGTERM) })
	defer stop()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
