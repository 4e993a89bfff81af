package network

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netns"

	"berth/internal/agent/agenttest"
)

// TestContract holds the Keeper to what all networks promise.
func TestContract(t *testing.T) {
	t.Parallel()
	agenttest.RunNetwork(t, func(t *testing.T) agenttest.NetworkRig {
		return agenttest.NetworkRig{
			Network: newKeeper(t, Config{}),
			PID:     func(t *testing.T) int { return newTask(t).pid },
			Dial: func(ctx context.Context, pid int, at netip.AddrPort) (conn net.Conn, err error) {
				ns, err := netns.GetFromPid(pid)
				if err != nil {
					return nil, err
				}
				defer ns.Close()
				err = runIn(ns, func() (err error) {
					conn, err = (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp4", at.String())
					return err
				})
				return conn, err
			},
		}
	})
}
