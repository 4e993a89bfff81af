package vpc

import "net/netip"

// Block reads an IPv4 range in its canonical form: 10.0.0.9/16 is 10.0.0.0/16. ok is false for what is none.
func Block(text string) (b netip.Prefix, ok bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}

// The sizes that VPCs and subnets may have, as prefix lengths.
const (
	widest    = 16
	narrowest = 28
)

// Sized reports whether a range has a size that a VPC or a subnet may have.
func Sized(b netip.Prefix) bool { return b.Bits() >= widest && b.Bits() <= narrowest }

// Usable reports whether a VPC may have a range: no address of it means something else, to every machine or in this installation.
func Usable(b netip.Prefix) bool {
	for _, taken := range []string{"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", PublicRange} {
		if netip.MustParsePrefix(taken).Overlaps(b) {
			return false
		}
	}
	return true
}

// Restricted reports whether a VPC with a primary range may not have another one besides: a private range of another kind.
func Restricted(primary, b netip.Prefix) bool {
	for _, private := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} {
		p := netip.MustParsePrefix(private)
		if p.Overlaps(b) {
			return !p.Overlaps(primary)
		}
	}
	return false
}

// Contains reports whether one of the VPC's ranges has all of b.
func (v *VPC) Contains(b netip.Prefix) bool {
	for _, c := range v.CIDRs() {
		if c.Bits() <= b.Bits() && c.Contains(b.Addr()) {
			return true
		}
	}
	return false
}

// Overlaps reports whether one of the VPC's ranges has an address of b.
func (v *VPC) Overlaps(b netip.Prefix) bool {
	for _, c := range v.CIDRs() {
		if c.Overlaps(b) {
			return true
		}
	}
	return false
}
