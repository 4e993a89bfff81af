package network

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// pairOfSites are two machines with a network between them, each with its Keeper. In the state of one, interfaces with host "one" are local.
type pairOfSites struct {
	one, two         *Keeper
	first, second    task
	hostOne, hostTwo string
}

func newPair(t testing.TB) pairOfSites {
	t.Helper()
	needRoot(t)
	p := pairOfSites{first: newTask(t), second: newTask(t), hostOne: "192.0.2.11", hostTwo: "192.0.2.12"}
	a, b := p.first.space(t), p.second.space(t)
	must(t, a.links.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wire"}, PeerName: "wire", PeerNamespace: netlink.NsFd(p.second.ns)}))
	for _, e := range []struct {
		s    *space
		host string
	}{{a, p.hostOne}, {b, p.hostTwo}} {
		l, err := e.s.links.LinkByName("wire")
		must(t, err)
		must(t, e.s.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(e.host + "/24"))}))
		must(t, e.s.up("wire"))
	}
	id := installation(t)
	p.one = site{machine: p.first}.keeper(t, Config{Installation: id + "a", Underlay: netip.MustParseAddr(p.hostOne)})
	p.two = site{machine: p.second}.keeper(t, Config{Installation: id + "b", Underlay: netip.MustParseAddr(p.hostTwo)})
	return p
}

// apply gives each machine the state as it must know it.
func (p pairOfSites) apply(t testing.TB, w world) {
	t.Helper()
	for _, m := range []struct {
		k    *Keeper
		host string
	}{{p.one, p.hostOne}, {p.two, p.hostTwo}} {
		s := w.now()
		for id, n := range s.Interfaces {
			n.Local = n.Host == m.host
			s.Interfaces[id] = n
		}
		must(t, m.k.Apply(context.Background(), s))
	}
}

func (w world) on(host, id, address string, groups ...string) {
	w.nic(id, address, groups...)
	n := w.Interfaces[id]
	n.Host = host
	w.Interfaces[id] = n
}

func TestTwoMachines(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	w := newWorld()
	w.vpc("vpc-2")
	w.group("sg-web", fromGroup(80, "sg-client"), nil)
	w.group("sg-client", nil, everything)
	w.on(p.hostOne, "eni-web", "10.0.1.10", "sg-web")
	w.on(p.hostTwo, "eni-client", "10.0.1.11", "sg-client")
	w.on(p.hostTwo, "eni-open", "10.0.2.11", "sg-open")
	w.on(p.hostOne, "eni-near", "10.0.1.12", "sg-open")
	for id, host := range map[string]string{"eni-x": p.hostOne, "eni-y": p.hostTwo} {
		w.Interfaces[id] = acsproto.NetworkInterface{ID: id, VPC: "vpc-2", Subnet: "subnet-a", Address: map[string]string{"eni-x": "10.0.1.10", "eni-y": "10.0.1.11"}[id],
			MAC: "02:00:00:00:00:0" + map[string]string{"eni-x": "1", "eni-y": "2"}[id], Groups: []string{"sg-two"}, Host: host}
	}
	w.Groups["sg-two"] = acsproto.SecurityGroup{ID: "sg-two", VPC: "vpc-2", Ingress: everything, Egress: everything}
	p.apply(t, w)
	web, client, open := attach(t, p.one, "eni-web"), attach(t, p.two, "eni-client"), attach(t, p.two, "eni-open")
	near, x, y := attach(t, p.one, "eni-near"), attach(t, p.one, "eni-x"), attach(t, p.two, "eni-y")
	web.serveTCP(t, 80)
	near.serveTCP(t, 80)
	x.serveTCP(t, 81)
	client.reaches(t, "10.0.1.10:80")
	client.reaches(t, "10.0.1.12:80")
	open.blocked(t, "10.0.1.10:80")
	y.reaches(t, "10.0.1.10:81")
	if c, _, err := dial(client.ns, "10.0.1.10:81", silence); err == nil {
		c.Close()
		t.Error("reached the other VPC")
	}
	if !open.pings(t, "10.0.1.12", patience) {
		t.Error("no ping between machines")
	}

	// A task of the second machine moves to another address: the first one hears of it, and of nothing else.
	delete(w.Interfaces, "eni-client")
	w.on(p.hostTwo, "eni-later", "10.0.1.13", "sg-client")
	p.apply(t, w)
	later := attach(t, p.two, "eni-later")
	later.reaches(t, "10.0.1.10:80")
	if has := p.one.vpcs["vpc-1"].have.routes[route{table: mainTable, to: netip.MustParsePrefix("10.0.1.11/32"), device: tunnel, via: netip.MustParseAddr(p.hostTwo)}]; has {
		t.Error("there is a route to an interface that is gone")
	}
	later.forge(t, "10.0.1.99", "10.0.1.12", 99) // from the second machine, which drops it
}

// TestTunnelTakesOnlyKnownSources: a machine of the underlay that is no part of the VPC, or a broken one, cannot speak as an address that is not its.
func TestTunnelTakesOnlyKnownSources(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	w := newWorld()
	w.on(p.hostOne, "eni-web", "10.0.1.10", "sg-open")
	w.on(p.hostOne, "eni-near", "10.0.1.12", "sg-open")
	w.on(p.hostTwo, "eni-client", "10.0.1.11", "sg-open")
	p.apply(t, w)
	web := attach(t, p.one, "eni-web")
	heard := web.hears(t, 99)
	broken := task{ns: p.two.vpcs["vpc-1"].space.ns}
	broken.forgeUntilHeard(t, "10.0.1.11", "10.0.1.10", 99, heard)
	for _, source := range []string{"10.0.1.12", "10.0.1.99", "8.8.8.8", "10.0.1.1"} {
		broken.forge(t, source, "10.0.1.10", 99)
	}
	if from := heard(silence); from != "" {
		t.Errorf("a packet from %s came through", from)
	}
}

func TestTunnelSizes(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	w := newWorld()
	w.on(p.hostOne, "eni-a", "10.0.1.10", "sg-open")
	p.apply(t, w)
	l, err := attach(t, p.one, "eni-a").space(t).links.LinkByName(taskDevice)
	must(t, err)
	if l.Attrs().MTU != 1450 || l.Attrs().HardwareAddr.String() != "02:00:0a:00:01:0a" {
		t.Errorf("mtu %d, MAC %s", l.Attrs().MTU, l.Attrs().HardwareAddr)
	}
	var _ agent.Network = p.one
}

// frame is a VXLAN packet's payload: for a VPC's device on a machine, from and to tasks.
func frame(vni uint32, host, vpc, from, to string, port uint16) []byte {
	f := []byte{8, 0, 0, 0, byte(vni >> 16), byte(vni >> 8), byte(vni), 0}
	f = append(f, tunnelMAC(netip.MustParseAddr(host), vpc)...)
	f = append(f, 2, 0, 0, 0, 0, 9, 8, 0)
	return append(f, udpPacket(from, to, port)...)
}

// throw sends a UDP packet to a machine's VXLAN port, from an address of the namespace.
func throw(t *testing.T, ns netns.NsHandle, from, to string, payload []byte) {
	t.Helper()
	must(t, runIn(ns, func() error {
		c, err := (&net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}).Dial("udp4", to+":4789")
		if err != nil {
			return err
		}
		defer c.Close()
		_, _ = c.Write(payload) // may be refused at once
		return nil
	}))
}

// TestStrangersPutNothingIntoTunnels: who knows all numbers of a VPC, and is not a machine's kernel, cannot put a packet into it.
func TestStrangersPutNothingIntoTunnels(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	w := newWorld()
	w.on(p.hostOne, "eni-web", "10.0.1.10", "sg-open")
	w.on(p.hostTwo, "eni-client", "10.0.1.11", "sg-open")
	w.route("vpc-1", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	p.apply(t, w)
	web, client := attach(t, p.one, "eni-web"), attach(t, p.two, "eni-client")
	heard := web.hears(t, 99)
	payload := frame(w.VPCs["vpc-1"].VNI, p.hostOne, "vpc-1", "10.0.1.11", "10.0.1.10", 99)
	wire := p.second.space(t)
	l, err := wire.links.LinkByName("wire")
	must(t, err)
	must(t, wire.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("192.0.2.99/24"))}))

	throw(t, p.second.ns, p.hostTwo, p.hostOne, payload) // a program on a machine of the VPC
	throw(t, p.first.ns, p.hostOne, p.hostOne, payload)
	throw(t, client.ns, "10.0.1.11", p.hostOne, payload) // a task, whose packets leave as its machine's
	if from := heard(silence); from != "" {
		t.Errorf("a packet came through, as from %s", from)
	}
	r := p.two.machine.space.rules // without the rules it is a packet like any other: else the test shows nothing
	r.conn.DelTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: p.two.machine.table()})
	must(t, r.commit())
	p.two.machine.made = ""
	throw(t, p.second.ns, "192.0.2.99", p.hostOne, payload) // a stranger
	if from := heard(silence); from != "" {
		t.Errorf("a stranger's packet came through, as from %s", from)
	}
	for until := time.Now().Add(patience); heard(silence) == ""; {
		throw(t, p.second.ns, p.hostTwo, p.hostOne, payload)
		if time.Now().After(until) {
			t.Fatal("the packet is none")
		}
	}
}
