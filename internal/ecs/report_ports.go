package ecs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// mostRange is the largest range of ports that one mapping may have, as on ECS.
const mostRange = 100

// bind adds the host ports that the agent chose to what the task holds, so that no other task is placed on them. r's lists are its own.
func (r *Resources) bind(bindings []types.NetworkBinding) {
	for _, b := range bindings {
		held := &r.PortsTCP
		if b.Protocol == types.TransportProtocolUdp {
			held = &r.PortsUDP
		}
		low, high := hostPorts(b)
		for p := low; p <= high; p++ {
			if i, has := slices.BinarySearch(*held, p); !has {
				*held = slices.Insert(*held, i, p)
			}
		}
	}
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
