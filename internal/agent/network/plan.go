package network

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"berth/internal/acsproto"
	"berth/internal/agent"
)

// plan is the machine's part of one VPC, as the kernel should have it. It is made of the state alone.
type plan struct {
	vpc        string
	vni        uint32
	cidrs      []netip.Prefix
	dns        netip.Addr   // where names are answered; not valid: nowhere
	own        []netip.Addr // of the namespace's loopback
	out        bool         // it has a way out to the machine
	reachable  bool         // the machine has a route to it
	wayMachine netip.Addr   // the machine's end of the way out, once it is chosen
	wayVPC     netip.Addr   // the VPC's end
	underlay   netip.Addr   // of this machine; not valid: there are no others
	rules      map[rule]bool
	routes     map[route]bool
	hosts      map[netip.Addr]bool // the other machines with interfaces of the VPC
	interfaces map[string]nic      // the local ones, by id
	table      table
	zone       zone
}

// nic is a network interface, parsed.
type nic struct {
	id      string
	address netip.Addr
	subnet  netip.Prefix
	mac     net.HardwareAddr
	groups  []string // sorted
	public  bool
	local   bool
	host    netip.Addr
	name    string
}

// gateway is the first address of the interface's subnet.
func (n nic) gateway() netip.Addr { return n.subnet.Addr().Next() }

// same tells whether the kernel's device for both is the same.
func (n nic) same(o nic) bool {
	return n.address == o.address && n.subnet == o.subnet && n.mac.String() == o.mac.String()
}

// rule sends packets of a subnet, or those with a mark of it, to a table of routes.
type rule struct {
	priority int
	from     netip.Prefix
	mark     uint32 // 0: any
	table    int
}

// route is a route of a VPC's namespace, beside those to the local interfaces.
type route struct {
	table  int
	to     netip.Prefix
	device string     // "": packets are dropped
	via    netip.Addr // not valid: the destination is on the device
}

// The marks of packets from local interfaces, which only the namespace sets. Everything else has 0. They read the same in both orders of bytes, as
// `nft list` shows those in a map in the wrong one.
const (
	markPrivate = 0x01000001
	markPublic  = 0x02000002 // the interface has a public address
)

// The kernel looks at the main table first, which has the VPC's own routes and no default, then at ours.
const (
	mainTable       = 254
	priorityPublic  = 40000
	priorityPrivate = 40001
)

// makePlans makes the plan of each VPC that has a local interface. detached are interfaces that are wanted no more on this machine, although the
// state has them. A VPC whose part of the state is wrong has an error instead of a plan.
func makePlans(w agent.NetworkState, underlay netip.Addr, detached map[string]bool) (map[string]plan, map[string]error) {
	plans, failed := map[string]plan{}, map[string]error{}
	byVPC := map[string][]acsproto.NetworkInterface{}
	local := map[string]bool{}
	for _, n := range w.Interfaces {
		byVPC[n.VPC] = append(byVPC[n.VPC], n)
		local[n.VPC] = local[n.VPC] || n.Local
	}
	for id := range local {
		v, ok := w.VPCs[id]
		switch {
		case !local[id]:
		case !ok:
			failed[id] = errors.New("interfaces are of a VPC that is not known")
		default:
			p, err := makePlan(v, byVPC[id], w.Groups, underlay, detached)
			if err != nil {
				failed[id] = err
				continue
			}
			plans[id] = p
		}
	}
	return plans, failed
}

func makePlan(v acsproto.VPC, list []acsproto.NetworkInterface, groups map[string]acsproto.SecurityGroup, underlay netip.Addr,
	detached map[string]bool) (plan, error) {
	p := plan{
		vpc: v.ID, vni: v.VNI, reachable: v.Reachable, out: v.Reachable, underlay: underlay, rules: map[rule]bool{}, routes: map[route]bool{},
		hosts: map[netip.Addr]bool{}, interfaces: map[string]nic{},
	}
	if err := checkID("vpcId", "vpc", v.ID); err != nil {
		return plan{}, err
	}
	if underlay.IsValid() && (v.VNI == 0 || v.VNI >= 1<<24) {
		return plan{}, fmt.Errorf("vni: %d is not 1 to %d", v.VNI, 1<<24-1)
	}
	if err := p.addCIDRs(v); err != nil {
		return plan{}, err
	}
	subnets, err := p.addSubnets(v.Subnets)
	if err != nil {
		return plan{}, err
	}
	nics, err := parseInterfaces(list, subnets)
	if err != nil {
		return plan{}, err
	}
	p.addInterfaces(nics, detached)
	if p.table, err = makeTable(p, nics, groups); err != nil {
		return plan{}, err
	}
	p.zone = makeZone(p.cidrs, nics)
	return p, nil
}

// addCIDRs reads the VPC's ranges. What is in them and has no interface is nowhere.
func (p *plan) addCIDRs(v acsproto.VPC) error {
	if len(v.CIDRs) == 0 {
		return errors.New("cidrs: there are none")
	}
	for _, c := range v.CIDRs {
		prefix, err := parsePrefix(c)
		if err != nil {
			return fmt.Errorf("cidrs: %w", err)
		}
		p.cidrs = append(p.cidrs, prefix)
		p.routes[route{table: mainTable, to: prefix}] = true
	}
	p.own = append(p.own, netip.MustParseAddr(endpointAddress), netip.MustParseAddr(metadataAddress))
	if v.DNS {
		p.dns = p.cidrs[0].Addr().Next().Next()
		p.own = append(p.own, p.dns)
	}
	return nil
}

// addSubnets reads the subnets, and makes their gateways and routes.
func (p *plan) addSubnets(list []acsproto.Subnet) (map[string]netip.Prefix, error) {
	subnets := map[string]netip.Prefix{}
	for _, s := range list {
		prefix, err := parsePrefix(s.CIDR)
		if err != nil {
			return nil, fmt.Errorf("subnet %s: cidr: %w", s.ID, err)
		}
		if !slices.ContainsFunc(p.cidrs, func(c netip.Prefix) bool { return c.Overlaps(prefix) && c.Bits() <= prefix.Bits() }) {
			return nil, fmt.Errorf("subnet %s: cidr: %s is outside of the VPC", s.ID, prefix)
		}
		subnets[s.ID] = prefix
		p.own = append(p.own, prefix.Addr().Next())
		if err := p.addRoutes(prefix, s.Routes); err != nil {
			return nil, fmt.Errorf("subnet %s: %w", s.ID, err)
		}
	}
	slices.SortFunc(p.own, netip.Addr.Compare)
	p.own = slices.Compact(p.own)
	return subnets, nil
}

// addRoutes makes a subnet's tables of routes: one for interfaces with a public address, where that matters, and one for the others. Their numbers are
// the subnet's first two addresses, which no other subnet has.
func (p *plan) addRoutes(subnet netip.Prefix, list []acsproto.Route) error {
	list = slices.DeleteFunc(slices.Clone(list), func(r acsproto.Route) bool { // there is no IPv6 in a VPC
		p, err := netip.ParsePrefix(r.Destination)
		return err == nil && !p.Addr().Is4()
	})
	a := subnet.Addr().As4()
	private := int(a[0])<<24 | int(a[1])<<16 | int(a[2])<<8 | int(a[3])
	public := private + 1
	internet := slices.ContainsFunc(list, func(r acsproto.Route) bool { return r.Via == "internet" })
	for _, r := range list {
		to, err := parsePrefix(r.Destination)
		if err != nil {
			return fmt.Errorf("destination: %w", err)
		}
		device, ok := map[string]string{"internet": wayOut, "nat": wayOut, "blackhole": ""}[r.Via]
		if !ok {
			return fmt.Errorf("via: %q is none of internet, nat, blackhole", r.Via)
		}
		p.out = p.out || device != ""
		if internet {
			p.routes[route{table: public, to: to, device: device}] = true
		}
		if r.Via == "internet" { // an internet gateway drops what has no public address
			device = ""
		}
		p.routes[route{table: private, to: to, device: device}] = true
	}
	if internet {
		p.rules[rule{priorityPublic, subnet, markPublic, public}] = true
	}
	if len(list) > 0 {
		p.rules[rule{priorityPrivate, subnet, 0, private}] = true
	}
	return nil
}

// addInterfaces sorts the interfaces into local ones and those behind the tunnel.
func (p *plan) addInterfaces(nics []nic, detached map[string]bool) {
	for _, n := range nics {
		switch {
		case n.local && !detached[n.id]:
			p.interfaces[n.id] = n
		case !n.local && p.underlay.IsValid() && n.host.Is4() && n.host != p.underlay:
			p.hosts[n.host] = true
			p.routes[route{table: mainTable, to: netip.PrefixFrom(n.address, 32), device: tunnel, via: n.host}] = true
		}
	}
}

// parseInterfaces reads a VPC's interfaces, sorted by their ids.
func parseInterfaces(list []acsproto.NetworkInterface, subnets map[string]netip.Prefix) ([]nic, error) {
	var nics []nic
	devices, addresses := map[string]string{}, map[netip.Addr]string{}
	list = slices.SortedFunc(slices.Values(list), func(a, b acsproto.NetworkInterface) int { return cmp.Compare(a.ID, b.ID) })
	for _, in := range list {
		n, err := parseInterface(in, subnets)
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", in.ID, err)
		}
		if other, taken := addresses[n.address]; taken {
			return nil, fmt.Errorf("interface %s: address: %s is also that of %s", in.ID, n.address, other)
		}
		addresses[n.address] = n.id
		if other, taken := devices[device(n.id)]; taken && n.local {
			return nil, fmt.Errorf("interface %s: networkInterfaceId: its device would be called as that of %s", in.ID, other)
		}
		if n.local {
			devices[device(n.id)] = n.id
		}
		nics = append(nics, n)
	}
	return nics, nil
}

func parseInterface(in acsproto.NetworkInterface, subnets map[string]netip.Prefix) (nic, error) {
	n := nic{id: in.ID, public: in.Public != "", local: in.Local, name: in.Name, groups: slices.Sorted(slices.Values(in.Groups))}
	n.groups = slices.Compact(n.groups)
	if err := checkID("networkInterfaceId", "eni", in.ID); err != nil {
		return nic{}, err
	}
	for _, g := range n.groups {
		if err := checkID("groups", "sg", g); err != nil {
			return nic{}, err
		}
	}
	var ok bool
	if n.subnet, ok = subnets[in.Subnet]; !ok {
		return nic{}, fmt.Errorf("subnetId: %q is no subnet of the VPC", in.Subnet)
	}
	var err error
	if n.address, err = netip.ParseAddr(in.Address); err != nil || !n.subnet.Contains(n.address) {
		return nic{}, fmt.Errorf("address: %q is not in the subnet's %s", in.Address, n.subnet)
	}
	if !n.local { // of one elsewhere, or nowhere yet, no more is needed; one without an IPv4 host is not reached
		n.host, _ = netip.ParseAddr(in.Host)
		n.host = n.host.Unmap()
		return n, nil
	}
	if n.mac, err = net.ParseMAC(in.MAC); err != nil || len(n.mac) != 6 || n.mac[0]&1 != 0 {
		return nic{}, fmt.Errorf("mac: %q is not the address of a network card", in.MAC)
	}
	return n, nil
}

// parsePrefix reads an IPv4 CIDR. Bits behind its prefix do not matter.
func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is no IPv4 CIDR", text)
	}
	return p.Masked(), nil
}

// sortedKeys are a map's keys in an order that is always the same.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
