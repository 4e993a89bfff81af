package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// upOptions are the flags of `berth up`.
type upOptions struct {
	data, listen, region, account, auth string
	instances                           int
	demo, detach                        bool
	cleanUpAfter                        time.Duration
	lostAfter                           time.Duration
	limits
}

func upCommand() *cobra.Command {
	o := upOptions{limits: defaultLimits()}
	c := &cobra.Command{
		Use: "up", Short: "Run everything on this machine: control plane and container instances", Args: cobra.NoArgs,
		Long: `Run the control plane and local container instances on this machine, and keep them running. Ctrl-C stops them; their tasks run on
and are adopted by the next berth up. berth down stops the tasks as well.`,
		Example: "  berth up --detach --demo\n  berth up --instances 3 --data ./other --listen 127.0.0.1:3280",
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := openData(o.data)
			if err != nil {
				return err
			}
			in, err := d.load()
			if err != nil {
				return err
			}
			if err := o.keepIn(c.Flags().Changed, &in); err != nil {
				return err
			}
			if err := d.save("berth.json", in); err != nil {
				return err
			}
			if o.detach {
				return detach(c, d, o)
			}
			return runUp(c.Context(), d, in, o, os.Stderr)
		},
	}
	f := c.Flags()
	dataFlag(c, &o.data)
	f.StringVar(&o.listen, "listen", "127.0.0.1:3270", "address of the control plane")
	f.StringVar(&o.region, "region", "us-east-1", "region")
	f.StringVar(&o.account, "account", "000000000000", "account")
	f.StringVar(&o.auth, "auth", "iam", "iam verifies every caller; dev takes any key as the administrator's")
	f.IntVar(&o.instances, "instances", 2, "local container instances")
	f.BoolVar(&o.demo, "demo", false, "also run a service of three tasks in the default cluster")
	f.BoolVar(&o.detach, "detach", false, "return when everything is ready")
	f.DurationVar(&o.cleanUpAfter, "clean-up-after", 10*time.Minute, "how long stopped containers stay on this machine")
	f.DurationVar(&o.lostAfter, "instance-lost-after", 5*time.Minute, "deregister a container instance that has no session for so long; 0 never")
	o.limitFlags(f)
	return c
}

// keepIn remembers what the flags say; what is not said stays as the last `berth up` said it.
func (o *upOptions) keepIn(said func(flag string) bool, in *installation) error {
	set := func(flag string, to *string, v string) {
		if *to == "" || said(flag) {
			*to = v
		}
	}
	set("listen", &in.Listen, o.listen)
	set("region", &in.Region, o.region)
	set("account", &in.Account, o.account)
	set("auth", &in.Auth, o.auth)
	if in.Instances == 0 || said("instances") {
		in.Instances = o.instances
	}
	f := pflag.NewFlagSet("up", pflag.ContinueOnError)
	o.limitFlags(f)
	if err := recall(f, in.Flags, said); err != nil {
		return fmt.Errorf("read berth.json: %w", err)
	}
	in.Flags = asText(f)
	return nil
}

// readyLine is what the process behind --detach says when everything is there.
const readyLine = "READY"

// detach starts `berth up` in the background and passes its progress on until it is ready.
func detach(c *cobra.Command, d dataDir, o upOptions) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the berth program: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start berth up: %w", err)
	}
	log, err := os.OpenFile(d.path("up.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start berth up: %w", err)
	}
	defer log.Close()
	args := []string{"up", "--data", string(d), "--clean-up-after", o.cleanUpAfter.String(), "--instance-lost-after", o.lostAfter.String()}
	if o.demo {
		args = append(args, "--demo")
	}
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{w}
	cmd.Env = append(os.Environ(), progressEnv+"=3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start berth up: %w", err)
	}
	w.Close()
	if err := follow(c.Context(), r, c.ErrOrStderr()); err != nil {
		return fmt.Errorf("%w; see %s", err, d.path("up.log"))
	}
	return cmd.Process.Release()
}

// progressEnv names the file descriptor to which a detached `berth up` tells its progress.
const progressEnv = "BERTH_PROGRESS_FD"

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
