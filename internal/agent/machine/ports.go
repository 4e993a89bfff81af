package machine

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// HostPorts are the machine's ports. It implements agent.Ports.
type HostPorts struct{}

// Ephemeral implements agent.Ports. Where the kernel does not tell its range it is that of Docker on ECS.
func (HostPorts) Ephemeral() (low, high int32) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		_, err = fmt.Sscan(string(text), &low, &high)
	}
	if err != nil || low < 1 || high > 65535 || low > high {
		return 49153, 65535
	}
	return low, high
}

// Free implements agent.Ports.
func (HostPorts) Free(address, protocol string, port int32) bool {
	at := net.JoinHostPort(address, strconv.Itoa(int(port)))
	if protocol == "udp" {
		c, err := net.ListenPacket("udp4", at)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	l, err := net.Listen("tcp4", at)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
