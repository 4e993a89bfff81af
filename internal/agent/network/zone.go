package network

import (
	"net/netip"
	"strings"
)

// zone is what a VPC's DNS answers by itself. Names are lower case and end in a dot.
type zone struct {
	addresses map[string]netip.Addr
	names     map[netip.Addr]string // for the reverse
	cidrs     []netip.Prefix
}

// internalDomain is that of private names in the region us-east-1; elsewhere they are in REGION.compute.internal.
const internalDomain = "ec2.internal."

// computeDomain ends the private names of all other regions.
const computeDomain = ".compute.internal."

// makeZone makes the zone of the VPC's interfaces: each has its private name, and that which its address gives in ec2.internal.
func makeZone(cidrs []netip.Prefix, nics []nic) zone {
	z := zone{addresses: make(map[string]netip.Addr, 2*len(nics)), names: make(map[netip.Addr]string, len(nics)), cidrs: cidrs}
	for _, n := range nics {
		byAddress := "ip-" + strings.ReplaceAll(n.address.String(), ".", "-") + "." + internalDomain
		z.addresses[byAddress] = n.address
		z.names[n.address] = byAddress
		if n.name != "" {
			name := strings.ToLower(strings.TrimSuffix(n.name, ".")) + "."
			z.addresses[name] = n.address
			z.names[n.address] = name
		}
	}
	return z
}

// knows tells whether a name is the VPC's to answer, so that nobody else is asked for it.
func (z zone) knows(name string) bool {
	if _, ok := z.addresses[name]; ok {
		return true
	}
	return name == internalDomain || strings.HasSuffix(name, "."+internalDomain) || strings.HasSuffix(name, computeDomain)
}

// reverse reads the name of a reverse lookup: "5.1.0.10.in-addr.arpa." is 10.0.1.5.
func reverse(name string) (netip.Addr, bool) {
	labels, ok := strings.CutSuffix(name, ".in-addr.arpa.")
	if !ok {
		return netip.Addr{}, false
	}
	l := strings.Split(labels, ".")
	if len(l) != 4 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(l[3] + "." + l[2] + "." + l[1] + "." + l[0])
	return a, err == nil
}

// contains tells whether an address is in one of the VPC's ranges.
func (z zone) contains(a netip.Addr) bool {
	for _, c := range z.cidrs {
		if c.Contains(a) {
			return true
		}
	}
	return false
}
