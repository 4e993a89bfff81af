package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"berth/internal/agent/machine"
	"berth/internal/agent/redirect"
)

func downCommand() *cobra.Command {
	var data string
	var purge bool
	c := &cobra.Command{
		Use: "down", Short: "Stop the installation and its tasks", Args: cobra.NoArgs,
		Long: "Stop the control plane, the container instances and the tasks of an installation. The next berth up starts its services again.\nWith --purge its data is forgotten.",
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := existing(data)
			if err != nil {
				if purge {
					return nil // nothing is there, which is what was asked for
				}
				return err
			}
			in, err := d.load()
			if err != nil {
				return err
			}
			for _, role := range []string{"up", "agent", "server"} {
				if err := d.end(c.Context(), role); err != nil {
					return err
				}
			}
			said, err := takeDown(c.Context(), d, in.ID)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.ErrOrStderr(), said)
			if !purge {
				return nil
			}
			if err := os.RemoveAll(string(d)); err != nil {
				return fmt.Errorf("purge: %w", err)
			}
			fmt.Fprintf(c.ErrOrStderr(), "%s is gone\n", d)
			return nil
		},
	}
	dataFlag(c, &data)
	c.Flags().BoolVar(&purge, "purge", false, "also forget all data")
	return c
}

// takeDown removes what an installation has on the machine, and says so. What it has there is another agent's where that runs from a copy of the data directory.
func takeDown(ctx context.Context, d dataDir, id string) (said string, err error) {
	free, err := onlyAgent(ctx, id, 0, slog.New(slog.DiscardHandler))
	if errors.Is(err, errNotOnly) {
		return "stopped; the containers are left to the agent of this installation that runs from another data directory", nil
	}
	if err != nil {
		return "", err
	}
	defer free()
	if err := redirect.Remove(id); err != nil {
		return "", err
	}
	n, err := removeContainers(ctx, id)
	if err != nil {
		return "", fmt.Errorf("the containers of %s could not be removed: %w", d, err)
	}
	if err := machine.RemoveGroups("/sys/fs/cgroup", id); err != nil {
		return "", fmt.Errorf("the control groups of %s could not be removed: %w", d, err)
	}
	if err := removeNetwork(ctx, id); err != nil {
		return "", fmt.Errorf("the network of %s could not be removed: %w", d, err)
	}
	return fmt.Sprintf("stopped; %d containers removed", n), nil
}

// end asks the process of a role to end and waits; after 20 seconds it is killed.
func (d dataDir) end(ctx context.Context, role string) error {
	pid := d.pid(role)
	if pid == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	gone := make(chan error, 1)
	go func() { gone <- awaitPid(context.WithoutCancel(ctx), pid) }()
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		return nil // it is gone
	}
	select {
	case <-gone:
	case <-ctx.Done():
		unix.Kill(pid, unix.SIGKILL) //nolint:errcheck // it may be gone by now
		<-gone
	}
	return nil
}
