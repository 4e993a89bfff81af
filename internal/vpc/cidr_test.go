package vpc

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestBlock(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/16": "10.0.0.0/16", "10.0.0.9/16": "10.0.0.0/16", "100.68.0.18/18": "100.68.0.0/18", "0.0.0.0/0": "0.0.0.0/0", "10.0.0.1/32": "10.0.0.1/32",
		"10.0.0.0": "", "10.0.0.0/33": "", "10.0.0/16": "", "10.0.0.0/": "", "2001:db8::/32": "", "": "", "10.0.0.0/016": "", "010.0.0.0/16": "", "::ffff:10.0.0.0/112": "",
	} {
		b, ok := Block(text)
		if got := b.String(); ok != (want != "") || ok && got != want {
			t.Errorf("Block(%q) = %s, %v, want %q", text, got, ok, want)
		}
	}
}

func TestUsable(t *testing.T) {
	for text, want := range map[string]bool{
		"10.0.0.0/16": true, "172.31.0.0/16": true, "192.168.0.0/24": true, "100.64.0.0/16": true, "8.8.0.0/16": true, "198.17.0.0/16": true, "198.20.0.0/16": true,
		"0.1.0.0/16": false, "127.0.0.0/28": false, "169.254.1.0/24": false, "224.0.0.0/16": false, "240.0.0.0/16": false, "255.255.0.0/16": false,
		"198.18.0.0/16": false, "198.19.255.0/24": false,
	} {
		if got := Usable(netip.MustParsePrefix(text)); got != want {
			t.Errorf("Usable(%s) = %v", text, got)
		}
	}
}

func TestRestricted(t *testing.T) {
	for _, test := range []struct {
		primary, other string
		want           bool
	}{
		{"10.0.0.0/16", "10.1.0.0/16", false}, {"10.0.0.0/16", "172.16.0.0/16", true}, {"10.0.0.0/16", "192.168.0.0/16", true}, {"10.0.0.0/16", "100.64.0.0/16", false},
		{"172.31.0.0/16", "172.16.0.0/16", false}, {"172.31.0.0/16", "10.0.0.0/16", true}, {"192.168.0.0/24", "192.168.1.0/24", false},
		{"192.168.0.0/24", "172.16.0.0/16", true}, {"100.64.0.0/16", "10.0.0.0/16", true}, {"100.64.0.0/16", "8.0.0.0/16", false}, {"8.0.0.0/16", "172.20.0.0/16", true},
	} {
		if got := Restricted(netip.MustParsePrefix(test.primary), netip.MustParsePrefix(test.other)); got != test.want {
			t.Errorf("Restricted(%s, %s) = %v", test.primary, test.other, got)
		}
	}
}

// What a VPC contains and overlaps follows from the single addresses.
func TestRangesOfAVPC(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	block := func(bits int) netip.Prefix { // of the 64 addresses from 10.0.0.0 on
		p, _ := address(10<<24 | uint32(random.IntN(64))).Prefix(bits)
		return p
	}
	for range 5000 {
		v := &VPC{}
		for range 1 + random.IntN(3) {
			v.Associations = append(v.Associations, CidrAssociation{CidrBlock: block(26 + random.IntN(7)).String()})
		}
		b := block(26 + random.IntN(7))
		in, one := 0, false
		for _, c := range v.CIDRs() {
			here := 0
			for a := b.Addr(); b.Contains(a); a = a.Next() {
				if c.Contains(a) {
					here++
				}
			}
			in += here
			one = one || here == 1<<(32-b.Bits())
		}
		if v.Contains(b) != one || v.Overlaps(b) != (in > 0) {
			t.Fatalf("%v in %v: contains %v, overlaps %v; of its addresses %d are in one", b, v.CIDRs(), v.Contains(b), v.Overlaps(b), in)
		}
	}
}
