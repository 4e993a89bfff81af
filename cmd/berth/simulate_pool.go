package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	berthapi "berth/internal/api/berth"
	"berth/internal/provider"
	"berth/internal/simulate"
)

// servePool hosts simulated members of Fargate's pool until ctx ends.
func (o *simulateOptions) servePool(ctx context.Context, progress io.Writer) error {
	if o.tasks > 0 || o.churn > 0 {
		return errors.New("--pool serves members for tasks of others; run another `berth simulate --fargate --tasks N` beside it")
	}
	c, err := o.client()
	if err != nil {
		return err
	}
	l, err := listenOn(o.pool)
	if err != nil {
		return fmt.Errorf("--pool: %w", err)
	}
	o.fleet.Endpoint, o.fleet.Region = c.endpoint, c.in.Region
	o.log(progress)
	p := simulate.NewPool(o.fleet, func(ctx context.Context, token string) (id, secret, cluster string, err error) {
		j, err := berthapi.Trade(ctx, c.endpoint, token)
		return j.AccessKeyID, j.SecretAccessKey, j.Cluster, err
	})
	debug.SetGCPercent(400) // little lives long here
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		o.watchPool(ctx, p, progress)
	}()
	err = p.Serve(ctx, l)
	cancel()
	<-watched
	return err
}

// network is the subnets of the tasks' network interfaces, none where they are not on Fargate.
func (o *simulateOptions) network(ctx context.Context, c *client) ([]string, error) {
	if !o.fargate {
		return nil, nil
	}
	vpc, err := c.defaultVPC(ctx)
	if err != nil {
		return nil, err
	}
	if vpc == "" {
		return nil, errors.New("--fargate needs the default VPC; `aws ec2 create-default-vpc` makes it")
	}
	return c.subnets(ctx, vpc)
}

// listenOn listens on a unix socket that this user alone reaches. A socket that a dead process has left is replaced.
func listenOn(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close() //nolint:errcheck // it was opened to see that somebody answers
		return nil, fmt.Errorf("another process serves %s", path)
	}
	switch i, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case i.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there and is no socket", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// watchPool tells once in five seconds what the members do, until ctx ends.
func (o *simulateOptions) watchPool(ctx context.Context, p *simulate.Pool, out io.Writer) {
	fmt.Fprintf(out, "serving members at %s\n", o.pool)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Second):
			fmt.Fprintf(out, "%d members, %d tasks, %d reports, %d errors\n", p.Registered.Load(), p.Tasks.Load(), p.Reports.Load(), p.Errors.Load())
		}
	}
}

func simulateMemberCommand() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use: "member launch|terminate|list", Short: "The instance provider of simulated members of Fargate's pool", Args: cobra.ExactArgs(1),
		ValidArgs: []string{"launch", "terminate", "list"},
		Long: `The instance provider of simulated members: a server runs it where --pool-provider says so, and it asks the berth simulate --pool that serves the same socket.
What is to be done stands in the environment (BERTH_MEMBER_ID and its neighbours, docs/fargate-pool.md).`,
		Example: "  berth simulate --pool /tmp/pool.sock\n  berth server --pool-provider berth,simulate,member,--pool,/tmp/pool.sock",
		RunE: func(c *cobra.Command, args []string) error {
			if socket == "" {
				return errors.New("--pool names the socket of `berth simulate --pool`")
			}
			path, err := filepath.Abs(socket)
			if err != nil {
				return err
			}
			return askPool(c.Context(), simulate.OnSocket(path), args[0], os.Getenv, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&socket, "pool", "", "socket at which berth simulate --pool serves")
	return c
}

// askPool does what an instance provider's command is asked for.
func askPool(ctx context.Context, p provider.Provider, verb string, env func(string) string, out io.Writer) error {
	id := env("BERTH_MEMBER_ID")
	switch verb {
	case "launch":
		o := provider.Order{ID: id, Zone: env("BERTH_ZONE"), Architecture: env("BERTH_ARCHITECTURE"), Token: provider.Secret(env("BERTH_TOKEN"))}
		for name, to := range map[string]*int{"BERTH_CPU": &o.CPUUnits, "BERTH_MEMORY": &o.MemoryMiB} {
			n, err := strconv.Atoi(env(name))
			if err != nil {
				return fmt.Errorf("%s is %q, which is no number", name, env(name))
			}
			*to = n
		}
		return p.Launch(ctx, o)
	case "terminate":
		return p.Terminate(ctx, id)
	case "list":
		list, err := p.List(ctx)
		for _, id := range list {
			fmt.Fprintln(out, id)
		}
		return err
	}
	return fmt.Errorf("%q is none of launch, terminate and list", verb)
}
