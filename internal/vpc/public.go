package vpc

import "net/netip"

// Public addresses of an installation are from 198.18.0.0/15, which no network routes (RFC 2544): they look public to those who see them, and mean nothing
// outside of the installation's machines.
const (
	PublicRange     = "198.18.0.0/15"
	PublicAddresses = 1<<17 - 2
)

// PublicAddress is the n-th public address; n counts around.
func PublicAddress(n uint32) netip.Addr { return address(198<<24 | 18<<16 + (1 + n%PublicAddresses)) }
