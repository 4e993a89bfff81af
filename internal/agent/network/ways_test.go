package network

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"

	"berth/internal/acsproto"
)

// site is a machine in a namespace of its own, with an uplink to another one that plays the internet.
type site struct {
	machine, internet task
	on, beyond        *space
}

// The addresses of the uplink's ends, and of a host on the internet.
const (
	machineAddress  = "192.0.2.2"
	internetAddress = "192.0.2.1"
	hostAddress     = "198.51.100.7"
)

// newSite makes one whose machine drops what it forwards, as one with Docker does, if docker is set.
func newSite(t testing.TB, docker bool) site {
	t.Helper()
	needRoot(t)
	s := site{machine: newTask(t), internet: newTask(t)}
	s.on, s.beyond = s.machine.space(t), s.internet.space(t)
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "uplink"}, PeerName: "down", PeerNamespace: netlink.NsFd(s.internet.ns)}
	must(t, s.on.links.LinkAdd(pair))
	for _, e := range []struct {
		s                   *space
		device, address, at string
	}{{s.on, "uplink", machineAddress, "/24"}, {s.beyond, "down", internetAddress, "/24"}, {s.beyond, "lo", hostAddress, "/32"}} {
		l, err := e.s.links.LinkByName(e.device)
		must(t, err)
		must(t, e.s.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix(e.address + e.at))}))
		must(t, e.s.up(e.device))
	}
	must(t, s.on.up("lo"))
	l, err := s.on.links.LinkByName("uplink")
	must(t, err)
	must(t, s.on.links.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.ParseIP(internetAddress)}))
	if docker {
		s.addDocker(t)
	}
	return s
}

// addDocker makes the chains that Docker makes, which drop what is forwarded.
func (s site) addDocker(t testing.TB) {
	t.Helper()
	r := s.on.rules
	filter := r.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "filter"})
	user := r.conn.AddChain(&nftables.Chain{Table: filter, Name: dockerChain})
	r.rule(user, verdict(expr.VerdictReturn, "")) // return
	f := r.base(filter, "FORWARD", nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainPolicyDrop)
	r.rule(f, jump(dockerChain))
	must(t, r.commit())
}

// keeper makes a Keeper on the machine.
func (s site) keeper(t testing.TB, c Config) *Keeper {
	t.Helper()
	if c.Installation == "" {
		c.Installation = installation(t)
	}
	var k *Keeper
	make := func() (err error) { k, err = New(c); return err }
	must(t, runIn(s.machine.ns, make))
	t.Cleanup(func() {
		must(t, k.Close())
		must(t, runIn(s.machine.ns, make))
		must(t, k.Purge(context.Background()))
		for _, l := range leftovers(t, k) {
			t.Errorf("purge left %s", l)
		}
		must(t, k.Close())
	})
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// route gives a subnet of a VPC routes.
func (w world) route(vpc, subnet string, routes ...acsproto.Route) {
	v := w.VPCs[vpc]
	v.Subnets = append([]acsproto.Subnet(nil), v.Subnets...)
	for i := range v.Subnets {
		if v.Subnets[i].ID == subnet {
			v.Subnets[i].Routes = routes
		}
	}
	w.VPCs[vpc] = v
}

// public gives an interface a public address.
func (w world) public(id string) {
	n := w.Interfaces[id]
	n.Public = "203.0.113.9"
	w.Interfaces[id] = n
}

func TestWaysOut(t *testing.T) {
	t.Parallel()
	for name, docker := range map[string]bool{"bare": false, "docker": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, docker)
			serveTCP(t, s.internet.ns, 80)
			serveTCP(t, s.machine.ns, 90)
			k := s.keeper(t, Config{})
			w := newWorld()
			w.nic("eni-public", "10.0.1.10", "sg-open")
			w.public("eni-public")
			w.nic("eni-private", "10.0.1.11", "sg-open")
			w.nic("eni-nat", "10.0.2.10", "sg-open")
			w.group("sg-local", nil, []acsproto.SecurityRule{{Protocol: "-1", CIDR: "10.0.0.0/16"}})
			w.nic("eni-shut", "10.0.2.11", "sg-local")
			w.route("vpc-1", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "internet"})
			w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"}, acsproto.Route{Destination: "198.51.100.0/24", Via: "blackhole"})
			apply(t, k, w)
			public, private, nat, shut := attach(t, k, "eni-public"), attach(t, k, "eni-private"), attach(t, k, "eni-nat"), attach(t, k, "eni-shut")
			for _, at := range []string{internetAddress, hostAddress} {
				if seen := public.reaches(t, at+":80"); !strings.HasPrefix(seen, machineAddress+":") {
					t.Errorf("seen as %s, want the machine's address", seen)
				}
			}
			private.blocked(t, hostAddress+":80") // an internet gateway serves public addresses only
			nat.reaches(t, internetAddress+":80")
			nat.blocked(t, hostAddress+":80") // the longest prefix wins
			shut.blocked(t, internetAddress+":80")
			public.blocked(t, machineAddress+":90") // nothing of the machine itself
			private.reachesTask(t, nat, "10.0.2.10:81")

			w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "198.51.100.0/24", Via: "nat"})
			apply(t, k, w)
			nat.reaches(t, hostAddress+":80")
			if c, _, err := dial(nat.ns, internetAddress+":80", silence); err == nil {
				c.Close()
				t.Error("a packet without a route went out")
			}
		})
	}
}

// reachesTask shows that one task reaches another one's new port.
func (k task) reachesTask(t *testing.T, other task, at string) {
	t.Helper()
	port := 0
	for _, c := range at[strings.Index(at, ":")+1:] {
		port = 10*port + int(c-'0')
	}
	other.serveTCP(t, port)
	k.reaches(t, at)
}

// TestDockerComesLater: an engine that starts after the VPCs drops what it forwards, until the next look.
func TestDockerComesLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	serveTCP(t, s.internet.ns, 80)
	k := s.keeper(t, Config{})
	w := newWorld()
	w.nic("eni-nat", "10.0.2.10", "sg-open")
	w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	apply(t, k, w)
	nat := attach(t, k, "eni-nat")
	nat.reaches(t, hostAddress+":80")
	k.work.Lock()
	s.addDocker(t)
	if c, _, err := dial(nat.ns, hostAddress+":80", silence); err == nil {
		c.Close()
		t.Error("the chain drops nothing")
	}
	err := k.machine.repair()
	k.work.Unlock()
	must(t, err)
	nat.reaches(t, hostAddress+":80")
}

// TestTableIsTakenAway: whoever flushes the machine's rules, as restarts of firewalls do, opens the machine to its VPCs until the next look.
func TestTableIsTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	serveTCP(t, s.internet.ns, 80)
	s.machine.serveTCP(t, 8080)
	k := s.keeper(t, Config{})
	w := newWorld()
	w.nic("eni-nat", "10.0.2.10", "sg-open")
	w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	apply(t, k, w)
	nat := attach(t, k, "eni-nat")
	for name, take := range map[string]func(*nftables.Conn, *nftables.Table){
		"table": (*nftables.Conn).DelTable,
		"rules": func(c *nftables.Conn, table *nftables.Table) { c.FlushTable(table) },
	} {
		r := s.on.rules
		must(t, r.open())
		take(r.conn, &nftables.Table{Family: nftables.TableFamilyIPv4, Name: k.machine.table()})
		must(t, r.commit())
		nat.reaches(t, machineAddress+":8080")
		k.work.Lock()
		err := k.machine.repair()
		k.work.Unlock()
		must(t, err)
		nat.blocked(t, machineAddress+":8080")
		nat.reaches(t, hostAddress+":80")
		if t.Failed() {
			t.Fatalf("after the %s had gone", name)
		}
	}
}

// TestWaysDoNotJoinVPCs: two VPCs with ways out do not meet there, nor do two installations.
func TestWaysDoNotJoinVPCs(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	k, other := s.keeper(t, Config{}), s.keeper(t, Config{Installation: "other" + installation(t)})
	w := newWorld()
	w.vpc("vpc-2")
	nat := acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"}
	w.route("vpc-1", "subnet-a", nat)
	w.route("vpc-2", "subnet-a", nat)
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.nic("eni-b", "10.0.1.10", "sg-open")
	n := w.Interfaces["eni-b"]
	n.VPC, n.Groups = "vpc-2", []string{"sg-open"}
	w.Interfaces["eni-b"] = n
	apply(t, k, w)
	apply(t, other, w)
	a := attach(t, k, "eni-a")
	own := k.vpcs["vpc-1"].plan
	serveTCP(t, s.machine.ns, 80)
	lo, err := s.beyond.links.LinkByName("lo")
	must(t, err)
	must(t, s.beyond.links.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("169.254.169.254/32"))}))
	serveTCP(t, s.internet.ns, 80)
	for who, at := range map[string]netip.Addr{
		"another VPC": k.vpcs["vpc-2"].plan.wayVPC, "another installation's VPC": other.vpcs["vpc-1"].plan.wayVPC,
		"the machine's end": own.wayMachine, "another way's machine end": k.vpcs["vpc-2"].plan.wayMachine,
		"the machine's address": netip.MustParseAddr(machineAddress), "its metadata": netip.MustParseAddr("169.254.169.254"),
	} {
		if who == "another VPC" || who == "another installation's VPC" {
			v := map[string]*vpc{"another VPC": k.vpcs["vpc-2"], "another installation's VPC": other.vpcs["vpc-1"]}[who]
			serveTCP(t, v.space.ns, 80)
		}
		if c, _, err := dial(a.ns, at.String()+":80", silence); err == nil {
			c.Close()
			t.Errorf("reached %s at %s", who, at)
		}
	}
}

// TestReachable: the machine reaches the tasks of the default VPC as their groups allow.
func TestReachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	k := s.keeper(t, Config{})
	w := newWorld()
	v := w.VPCs["vpc-1"]
	v.Reachable = true
	w.VPCs["vpc-1"] = v
	w.group("sg-web", tcp(80, "169.254.64.0/18"), nil)
	w.nic("eni-web", "10.0.1.10", "sg-web")
	w.nic("eni-open", "10.0.1.11", "sg-open")
	apply(t, k, w)
	web, open := attach(t, k, "eni-web"), attach(t, k, "eni-open")
	web.serveTCP(t, 80)
	web.serveTCP(t, 81)
	open.serveTCP(t, 81)
	if seen := s.machine.reaches(t, "10.0.1.10:80"); !strings.HasPrefix(seen, k.vpcs["vpc-1"].plan.wayMachine.String()+":") {
		t.Errorf("the machine is seen as %s", seen)
	}
	s.machine.blocked(t, "10.0.1.10:81")
	s.machine.reaches(t, "10.0.1.11:81")
	serveTCP(t, s.machine.ns, 90)
	open.blocked(t, machineAddress+":90")
	down, err := s.beyond.links.LinkByName("down")
	must(t, err)
	must(t, s.beyond.links.RouteAdd(&netlink.Route{LinkIndex: down.Attrs().Index, Dst: ipNet(netip.MustParsePrefix("10.0.0.0/16")), Gw: net.ParseIP(machineAddress)}))
	if c, _, err := dial(s.internet.ns, "10.0.1.11:81", silence); err == nil {
		c.Close()
		t.Error("what is not the machine is let in")
	}
	v.Reachable = false
	w.VPCs["vpc-1"] = v
	apply(t, k, w)
	if c, _, err := dial(s.machine.ns, "10.0.1.11:81", silence); err == nil {
		c.Close()
		t.Error("a VPC that is reachable no more is reached")
	}
	for _, l := range leftovers(t, k) {
		if !strings.HasPrefix(l, namespaces) {
			t.Errorf("after the last way there is %s", l)
		}
	}
}

// TestReachableIsForTheMachineOnly: the route that the machine has to one VPC is none for another one.
func TestReachableIsForTheMachineOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	k := s.keeper(t, Config{})
	w := newWorld()
	w.route("vpc-1", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	w.nic("eni-a", "10.0.1.10", "sg-open")
	w.VPCs["vpc-2"] = acsproto.VPC{ID: "vpc-2", VNI: 9, CIDRs: []string{"10.1.0.0/16"}, Reachable: true, Subnets: []acsproto.Subnet{{ID: "subnet-c", CIDR: "10.1.1.0/24"}}}
	w.Interfaces["eni-b"] = acsproto.NetworkInterface{ID: "eni-b", VPC: "vpc-2", Subnet: "subnet-c", Address: "10.1.1.10", MAC: "02:00:00:00:00:01", Local: true, Groups: []string{"sg-open"}}
	apply(t, k, w)
	a, b := attach(t, k, "eni-a"), attach(t, k, "eni-b")
	b.serveTCP(t, 80)
	s.machine.reaches(t, "10.1.1.10:80")
	if c, _, err := dial(a.ns, "10.1.1.10:80", silence); err == nil {
		c.Close()
		t.Error("a task reaches another VPC through the machine")
	}
	heard := b.hears(t, 99) // nor does a packet that needs no answer
	a.asks(t, "10.1.1.10:99", silence)
	if from := heard(silence); from != "" {
		t.Errorf("a task's packet reached another VPC, as from %s", from)
	}
}

// TestReachableLosesToTheMachinesRoutes: a VPC whose range the machine has for itself is not taken from it.
func TestReachableLosesToTheMachinesRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	k := s.keeper(t, Config{})
	w := newWorld()
	v := w.VPCs["vpc-1"]
	v.Reachable, v.CIDRs = true, []string{"192.0.2.0/25", "10.0.0.0/16"}
	w.VPCs["vpc-1"] = v
	w.nic("eni-open", "10.0.1.11", "sg-open")
	apply(t, k, w)
	attach(t, k, "eni-open").serveTCP(t, 81)
	serveTCP(t, s.internet.ns, 80)
	s.machine.reaches(t, internetAddress+":80")
	s.machine.reaches(t, "10.0.1.11:81")
}

// TestContainersOfTheMachine: a VPC reaches what the machine's own containers publish, and nothing else of them.
func TestContainersOfTheMachine(t *testing.T) {
	t.Parallel()
	s := newSite(t, true)
	container := newTask(t)
	must(t, s.on.links.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "containers"}}))
	bridge, err := s.on.links.LinkByName("containers")
	must(t, err)
	must(t, s.on.links.AddrAdd(bridge, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("172.18.0.1/16"))}))
	must(t, s.on.links.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "port", MasterIndex: bridge.Attrs().Index}, PeerName: taskDevice, PeerNamespace: netlink.NsFd(container.ns)}))
	inside := container.space(t)
	l, err := inside.links.LinkByName(taskDevice)
	must(t, err)
	must(t, inside.links.AddrAdd(l, &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("172.18.0.2/16"))}))
	must(t, inside.up(taskDevice))
	must(t, inside.links.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.IPv4(172, 18, 0, 1)}))
	must(t, s.on.up("port"))
	must(t, s.on.up("containers"))
	container.serveTCP(t, 80)
	r := s.on.rules // publishes it
	table := r.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "nat"})
	c := r.conn.AddChain(&nftables.Chain{Table: table, Name: "PREROUTING", Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest})
	r.rule(c, is(offsetDestination, netip.MustParseAddr(machineAddress)), protocol(protocolTCP), port(8080, 8080), words{
		&expr.Immediate{Register: register1, Data: []byte{172, 18, 0, 2}}, &expr.Immediate{Register: register2, Data: []byte{0, 80}},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: 2, RegAddrMin: register1, RegProtoMin: register2},
	})
	must(t, r.commit())

	k := s.keeper(t, Config{})
	w := newWorld()
	w.nic("eni-nat", "10.0.2.10", "sg-open")
	w.route("vpc-1", "subnet-b", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	apply(t, k, w)
	nat := attach(t, k, "eni-nat")
	s.machine.reaches(t, "172.18.0.2:80")
	nat.blocked(t, "172.18.0.2:80")
	nat.reaches(t, machineAddress+":8080")

	// A bridge may be the uplink itself.
	must(t, s.on.links.RouteReplace(&netlink.Route{LinkIndex: bridge.Attrs().Index, Gw: net.IPv4(172, 18, 0, 2)}))
	k.work.Lock()
	err = k.machine.repair()
	k.work.Unlock()
	must(t, err)
	nat.reaches(t, "172.18.0.2:80")
}
