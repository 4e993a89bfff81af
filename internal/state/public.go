package state

import (
	"net/netip"

	"berth/internal/vpc"
)

// PublicAddress is a public address that nobody has: no interface, and no Elastic IP address. The search begins at the n-th of the range, around. ok is false
// where there is none.
func (t *Tables) PublicAddress(n uint32) (a netip.Addr, ok bool) {
	taken := map[string]bool{} // accounts have few
	for e := range t.Addresses.All() {
		taken[e.PublicIP] = true
	}
	for i := range uint32(vpc.PublicAddresses) {
		if a = vpc.PublicAddress(n + i); !taken[a.String()] && t.Interfaces.Public(a.String()) == nil {
			return a, true
		}
	}
	return netip.Addr{}, false
}
