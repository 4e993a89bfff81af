package ecs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// mostRange is how many ports of one reported range are held: those of a longer one are not, so that a record stays small.
const mostRange = 1000

// bind adds the host ports that the agent chose to what the task holds, so that no other task is placed on them. r's lists are its own.
func (r *Resources) bind(bindings []types.NetworkBinding) {
	for _, b := range bindings {
		held := &r.PortsTCP
		if b.Protocol == types.TransportProtocolUdp {
			held = &r.PortsUDP
		}
		low, high := hostPorts(b)
		for p := low; p <= high; p++ {
			*held = append(*held, p)
		}
	}
	slices.Sort(r.PortsTCP)
	slices.Sort(r.PortsUDP)
	r.PortsTCP, r.PortsUDP = slices.Compact(r.PortsTCP), slices.Compact(r.PortsUDP)
}

// hostPorts are the first and the last host port of a binding. What is no port at all gives an empty range.
func hostPorts(b types.NetworkBinding) (low, high int32) {
	if b.HostPort != nil {
		low, high = *b.HostPort, *b.HostPort
	} else if b.HostPortRange != nil {
		from, to, _ := strings.Cut(*b.HostPortRange, "-")
		low, high = port(from), port(to)
	}
	if low < 1 || high > 65535 || high-low >= mostRange {
		return 1, 0
	}
	return low, high
}

func port(s string) int32 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}
