package agenttest_test

import (
	"testing"

	"berth/internal/agent/agenttest"
)

func TestNetwork(t *testing.T) {
	agenttest.RunNetwork(t, func(t *testing.T) agenttest.NetworkRig {
		n, pid := &agenttest.Network{}, 0
		return agenttest.NetworkRig{Network: n, PID: func(*testing.T) int { pid++; return pid }, Dial: n.Dial}
	})
}
