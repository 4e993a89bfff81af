package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"

	"berth/internal/agent"
	"berth/internal/agent/network"
)

// network gives the agent the machine's part of the VPCs, where this process may make one: as root. The keeper is never nil.
func (o *agentOptions) network(c *agent.Config, log *slog.Logger) (*network.Keeper, error) {
	config := network.Config{Installation: c.Installation, Port: o.underlayPort, Log: log}
	if o.underlay != "" {
		a, err := netip.ParseAddr(o.underlay)
		if err != nil {
			return nil, fmt.Errorf("--underlay-address: %w", err)
		}
		config.Underlay, c.Underlay = a, a.String()
	}
	k, err := network.New(config)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		log.Warn("tasks in awsvpc mode need an agent that runs as root: this machine gets none")
		return k, nil
	}
	c.Network = k
	return k, nil
}

// removeNetwork removes all that an installation has in the machine's network.
func removeNetwork(ctx context.Context, installation string) error {
	if os.Geteuid() != 0 {
		return nil // it could not make any
	}
	k, err := network.New(network.Config{Installation: installation, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer k.Close() //nolint:errcheck // nothing is served
	return k.Purge(ctx)
}
