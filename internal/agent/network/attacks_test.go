package network

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"berth/internal/acsproto"
)

// bastion is a VPC in which c lets in b and nobody else, on TCP port 80 and UDP port 99; a is the attacker, with all rights in its own namespace.
func bastion(t *testing.T) (k *Keeper, a, b, c task) {
	t.Helper()
	k = newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-c", append(tcp(80, "10.0.1.11/32"), acsproto.SecurityRule{Protocol: "udp", From: 99, To: 99, CIDR: "10.0.1.11/32"}), everything)
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	w.nic("eni-c", "10.0.2.10", "sg-c")
	apply(t, k, w)
	a, b, c = attach(t, k, "eni-a"), attach(t, k, "eni-b"), attach(t, k, "eni-c")
	c.serveTCP(t, 80)
	b.reaches(t, "10.0.2.10:80")
	a.blocked(t, "10.0.2.10:80")
	return k, a, b, c
}

func TestFlushedFiltersChangeNothing(t *testing.T) {
	t.Parallel()
	_, a, _, _ := bastion(t)
	r := a.space(t).rules
	r.conn.FlushRuleset()
	table := r.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "mine"})
	r.base(table, "all", nftables.ChainHookOutput, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	if err := r.commit(); err != nil {
		t.Fatal(err)
	}
	a.blocked(t, "10.0.2.10:80")
}

func TestAnotherAddressGetsNowhere(t *testing.T) {
	t.Parallel()
	_, a, b, _ := bastion(t)
	s := a.space(t)
	l, err := s.links.LinkByName(taskDevice)
	if err != nil {
		t.Fatal(err)
	}
	// The attacker takes the address of one that is let in, and its MAC too.
	if err := s.links.AddrDel(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("10.0.1.10/24"))}); err != nil {
		t.Fatal(err)
	}
	if err := s.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("10.0.1.11/24"))}); err != nil {
		t.Fatal(err)
	}
	if err := s.links.RouteReplace(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.IPv4(10, 0, 1, 1)}); err != nil {
		t.Fatal(err)
	}
	a.claim(t, "10.0.1.11")
	if c, _, err := dial(a.ns, "10.0.2.10:80", silence); err == nil {
		c.Close()
		t.Error("an attacker with another's address is let in")
	}
	if err := s.links.LinkSetHardwareAddr(l, net.HardwareAddr{2, 0, 10, 0, 1, 11}); err != nil {
		t.Fatal(err)
	}
	if c, _, err := dial(a.ns, "10.0.2.10:80", silence); err == nil {
		c.Close()
		t.Error("an attacker with another's address and MAC is let in")
	}
	b.reaches(t, "10.0.2.10:80") // and its owner still is
}

func TestForgedSourcesAreDropped(t *testing.T) {
	t.Parallel()
	k, a, b, c := bastion(t)
	heard := c.hears(t, 99)
	b.forgeUntilHeard(t, "10.0.1.11", "10.0.2.10", 99, heard)
	forge := func(without string) {
		t.Helper()
		for _, source := range []string{"10.0.1.11", "10.0.2.10", "10.0.1.1", "169.254.170.2", "127.0.0.1", "8.8.8.8", "10.0.1.10"} {
			a.forge(t, source, "10.0.2.10", 99)
		}
		if from := heard(silence); from != "" {
			t.Errorf("a packet from %s came through%s", from, without)
		}
	}
	forge("")
	// Each of the two defences holds alone: the kernel's check of return paths, and the table's sources.
	v := k.vpcs["vpc-1"]
	must(t, v.space.settings(setting{"ipv4/conf/" + device("eni-a") + "/rp_filter", "0"}))
	forge(" without rp_filter")
}

// TestForgedARPIsNotHeard: one task claims the addresses of another and of the gateway.
func TestForgedARPIsNotHeard(t *testing.T) {
	t.Parallel()
	k, a, b, c := bastion(t)
	b.serveTCP(t, 81)
	for _, address := range []string{"10.0.1.11", "10.0.1.1", "10.0.2.10", "10.0.0.2", "169.254.170.2"} {
		a.claim(t, address)
	}
	c.reaches(t, "10.0.1.11:81")
	b.reaches(t, "10.0.2.10:80")
	v := k.vpcs["vpc-1"].space
	neighbours, err := v.links.NeighList(0, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, n := range neighbours {
		if n.State&(netlink.NUD_NOARP) != 0 {
			continue
		}
		known++
		if n.State != netlink.NUD_PERMANENT {
			t.Errorf("the VPC has learned a neighbour: %+v", n)
		}
	}
	if known != 3 {
		t.Errorf("%d neighbours, want the three tasks", known)
	}
}

// TestOnlyTheNamespacesServices are reached without a rule: nothing else of it, nor of the machine.
func TestOnlyTheNamespacesServices(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-none", nil, nil)
	w.nic("eni-a", "10.0.1.10", "sg-none")
	apply(t, k, w)
	a := attach(t, k, "eni-a")
	for _, address := range []string{"10.0.1.1", "10.0.2.1", "10.0.0.2", "169.254.170.2"} {
		if !a.pings(t, address, patience) {
			t.Errorf("%s does not answer a ping", address)
		}
	}
	serveTCP(t, k.vpcs["vpc-1"].space.ns, 80)
	a.reaches(t, "169.254.170.2:80")
	a.reaches(t, "169.254.169.254:80")
	a.blocked(t, "10.0.1.1:80")
	a.blocked(t, "10.0.0.2:80")
	a.blocked(t, "169.254.170.2:81")
	a.blocked(t, "169.254.169.254:81")
}

// TestTwoVPCsOfOneRange have the same addresses and never meet.
func TestTwoVPCsOfOneRange(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.vpc("vpc-2")
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	for _, id := range []string{"eni-a", "eni-b"} {
		n := w.Interfaces[id]
		n.ID, n.VPC, n.Groups = id+"2", "vpc-2", []string{"sg-two"}
		w.Interfaces[n.ID] = n
	}
	w.Groups["sg-two"] = acsproto.SecurityGroup{ID: "sg-two", VPC: "vpc-2", Ingress: everything, Egress: everything}
	apply(t, k, w)
	a, b, a2, b2 := attach(t, k, "eni-a"), attach(t, k, "eni-b"), attach(t, k, "eni-a2"), attach(t, k, "eni-b2")
	b.serveTCP(t, 80)
	b2.serveTCP(t, 81)
	a.reaches(t, "10.0.1.11:80")
	a2.reaches(t, "10.0.1.11:81")
	for _, x := range []struct {
		from task
		at   string
	}{{a, "10.0.1.11:81"}, {a2, "10.0.1.11:80"}} {
		if c, _, err := dial(x.from.ns, x.at, silence); err == nil {
			c.Close()
			t.Errorf("reached %s in the other VPC", x.at)
		}
	}
}
