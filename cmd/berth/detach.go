package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

const (
	// readyLine is what the process behind --detach says when everything is there.
	readyLine = "READY"
	// handedEnv tells the process behind --detach that it has the files below.
	handedEnv    = "BERTH_HANDED"
	progressFile = 3 // to which it tells its progress
	lockFile     = 4 // of the role "up", which it takes over
)

// detach starts `berth up` in the background, hands it the role, and passes its progress on until it is ready.
func detach(c *cobra.Command, role *claim, o *upOptions) error {
	r, err := startBehind(role, o)
	if err != nil {
		role.release()
		return fmt.Errorf("start berth up: %w", err)
	}
	role.handOn()
	if err := follow(c.Context(), r, c.ErrOrStderr()); err != nil {
		return fmt.Errorf("%w; see %s", err, role.data.path("up.log"))
	}
	return nil
}

// startBehind starts the process behind --detach and returns where its progress comes from.
func startBehind(role *claim, o *upOptions) (*os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the berth program: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	log, err := os.OpenFile(role.data.path("up.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := []string{"up", "--data", string(role.data), "--clean-up-after", o.cleanUpAfter.String(), "--instance-lost-after", o.lostAfter.String()}
	if o.demo {
		args = append(args, "--demo")
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = os.Args[0] // how it tells the user to call it
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{w, role.lock}
	cmd.Env = append(os.Environ(), handedEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return r, cmd.Process.Release()
}

// handed reports whether this is the process behind --detach.
func handed() bool { return os.Getenv(handedEnv) != "" }

// behind is the process behind --detach. What the flags say was stored by the one that started it.
func (o *upOptions) behind(ctx context.Context, d dataDir) error {
	os.Unsetenv(handedEnv) //nolint:errcheck // of a name that is right
	for _, fd := range []int{progressFile, lockFile} {
		unix.CloseOnExec(fd) // server and agent hold neither
	}
	progress := os.NewFile(progressFile, "progress")
	in, err := d.load()
	if err != nil {
		return err
	}
	return runUp(ctx, &claim{d, "up", os.NewFile(lockFile, "up.lock")}, in, *o, os.Stderr, progress)
}

// follow copies progress until the ready line.
func follow(ctx context.Context, r *os.File, to io.Writer) error {
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	b, line := make([]byte, 1), strings.Builder{}
	for {
		n, err := r.Read(b)
		if err != nil || n == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("berth up ended before it was ready")
		}
		if b[0] != '\n' {
			line.WriteByte(b[0])
			continue
		}
		if line.String() == readyLine {
			return nil
		}
		fmt.Fprintln(to, line.String())
		line.Reset()
	}
}
