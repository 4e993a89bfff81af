package main

import (
	"berth/internal/agent"
	"berth/internal/agent/machine"
)

// equip gives an agent what it works with on a real machine, besides engine and control groups.
func equip(c *agent.Config) {
	c.Ports = machine.HostPorts{}
}
