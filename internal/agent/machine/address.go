package machine

import (
	"net"
	"net/netip"
)

// Address is the machine's own address, from which it reaches others, and that of the interface which has it. They are zero where the machine has no way to others.
// Nothing is sent to find out.
func Address() (netip.Addr, net.HardwareAddr) {
	c, err := net.Dial("udp4", "192.0.2.1:9") // an address that is nobody's
	if err != nil {
		return netip.Addr{}, nil
	}
	defer c.Close()
	address := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	all, err := net.Interfaces()
	if err != nil {
		return address, nil
	}
	for _, i := range all {
		list, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range list {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr() == address {
				return address, i.HardwareAddr
			}
		}
	}
	return address, nil
}
