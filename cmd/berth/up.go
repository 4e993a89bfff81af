package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"berth/internal/frontdoor"
)

// mostInstances is how many host addresses 127.0.HostNet.x there are.
const mostInstances = 254

// upOptions are the flags of `berth up`.
type upOptions struct {
	data, listen, region, account, auth string
	instances                           int
	demo, detach                        bool
	cleanUpAfter                        time.Duration
	lostAfter                           time.Duration
	limits
	s3Options
}

func upCommand() *cobra.Command {
	o := upOptions{limits: defaultLimits()}
	return upFlags(&o)
}

// upFlags is the command with its flags over o.
func upFlags(o *upOptions) *cobra.Command {
	c := &cobra.Command{
		Use: "up", Short: "Run everything on this machine: control plane and container instances", Args: cobra.NoArgs,
		Long: `Run the control plane and local container instances on this machine, and keep them running. Ctrl-C stops them; their tasks run on
and are adopted by the next berth up. berth down stops the tasks as well.`,
		Example: "  berth up --detach --demo\n  berth up --instances 3 --data ./other --listen 127.0.0.1:3280",
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	f := c.Flags()
	dataFlag(c, &o.data)
	f.StringVar(&o.listen, "listen", "127.0.0.1:3270", "address of the control plane")
	f.StringVar(&o.region, "region", "us-east-1", "region")
	f.StringVar(&o.account, "account", "000000000000", "account")
	f.StringVar(&o.auth, "auth", "iam", "iam verifies every caller; dev takes any key as the administrator's")
	f.IntVar(&o.instances, "instances", 2, "local container instances")
	f.BoolVar(&o.demo, "demo", false, "also run a service of three tasks in each mode, in the default cluster")
	f.BoolVar(&o.detach, "detach", false, "return when everything is ready")
	f.DurationVar(&o.cleanUpAfter, "clean-up-after", 10*time.Minute, "how long stopped containers stay on this machine; of Fargate tasks a minute at most")
	f.DurationVar(&o.lostAfter, "instance-lost-after", 5*time.Minute, "deregister a container instance that has no session for so long; 0 never")
	o.limitFlags(f)
	o.s3Flags(f)
	return c
}

// check refuses flags that cannot be right, before anything is made or stored.
func (o *upOptions) check() error {
	if err := checkAddress("listen", o.listen); err != nil {
		return err
	}
	if o.instances < 1 || o.instances > mostInstances {
		return fmt.Errorf("--instances %d: one machine runs 1 to %d container instances", o.instances, mostInstances)
	}
	if _, err := frontdoor.ParseAuth(o.auth); err != nil {
		return fmt.Errorf("--auth: %w", err)
	}
	return o.checkS3()
}

// run starts everything or, where another `berth up` does that already, waits for it.
func (o *upOptions) run(c *cobra.Command) error {
	if err := o.check(); err != nil {
		return err
	}
	d, err := openData(o.data)
	if err != nil {
		return err
	}
	if handed() {
		return o.behind(c.Context(), d)
	}
	role, pid, err := d.claimUp(c.Context())
	if err != nil {
		return err
	}
	if role == nil {
		return o.runsAlready(c, d, pid)
	}
	in, err := o.prepare(c.Context(), d, c.Flags().Changed)
	if err != nil {
		role.release()
		return err
	}
	if o.detach {
		return detach(c, role, o)
	}
	return runUp(c.Context(), role, in, *o, os.Stderr, nil)
}

// prepare checks what can be checked before the start, and stores what the flags say.
func (o *upOptions) prepare(ctx context.Context, d dataDir, said func(flag string) bool) (installation, error) {
	in, err := d.load()
	if err != nil {
		return in, err
	}
	if strings.Contains(in.Listen, "://") {
		return in, fmt.Errorf("%s is of a machine that has joined %s; choose another directory with --data", d, in.Listen)
	}
	for _, role := range []string{"server", "agent"} { // of a `berth up` that was killed
		if err := o.sameAs(d, role, d.pid(role), in, said); err != nil {
			return in, err
		}
	}
	if err := o.keepIn(said, &in); err != nil {
		return in, err
	}
	if d.pid("server") == 0 {
		if err := checkFree("listen", in.Listen); err != nil {
			return in, err
		}
	}
	if err := checkEngine(ctx); err != nil {
		return in, err
	}
	if err := checkStaticSelf(); err != nil {
		return in, err
	}
	return in, d.save("berth.json", in)
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
	if in.Instances < 1 || said("instances") {
		in.Instances = o.instances
	}
	f := pflag.NewFlagSet("up", pflag.ContinueOnError)
	o.limitFlags(f)
	if err := recall(f, in.Flags, said); err != nil {
		return fmt.Errorf("read berth.json: %w", err)
	}
	in.Flags = asText(f)
	return o.keepS3(said, in)
}
