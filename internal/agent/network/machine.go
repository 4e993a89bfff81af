package network

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// machine is the machine's own namespace: the ends of the ways out, and the rules that keep VPCs apart from each other and from the machine.
type machine struct {
	names
	space *space
	port  int // UDP, of VXLAN
	log   *slog.Logger

	configured []netip.AddrPort // resolvers

	ways     map[string]int  // VPC -> slot of its addresses
	made     string          // what the table was made of; "" is not known
	firewall firewall        // what others' chains have of us
	refused  map[string]bool // VPCs whose range the machine routes elsewhere, as it was logged
}

// choose finds the addresses of the ways out that plans need: those that they have, or else some that nobody has. VPCs that failed keep theirs.
func (m *machine) choose(plans map[string]plan, failed map[string]error) error {
	ways := map[string]int{}
	taken, err := m.takenSlots()
	if err != nil {
		return err
	}
	old := sortedKeys(failed)
	for _, id := range sortedKeys(plans) {
		if plans[id].out {
			old = append(old, id)
		}
	}
	for _, id := range old {
		slot, known := m.ways[id]
		if !known {
			if slot, err = m.slot(id); err != nil {
				return err
			}
		}
		if slot >= 0 {
			ways[id] = slot
			taken[slot] = true
		}
	}
	for _, id := range sortedKeys(plans) {
		if _, has := ways[id]; has || !plans[id].out {
			continue
		}
		slot, tries := m.waySlot(id), 0
		for ; taken[slot]; slot = (slot + 1) % waysCount {
			if tries++; tries >= waysCount {
				return errors.New("no addresses are left for ways out of VPCs")
			}
		}
		ways[id] = slot
		taken[slot] = true
	}
	m.ways = ways
	for id, slot := range ways {
		if p, ok := plans[id]; ok {
			p.setWay(wayAddresses(slot))
			plans[id] = p
		}
	}
	return nil
}

// setWay gives the routes through the way out its addresses.
func (p *plan) setWay(machine, vpc netip.Addr) {
	p.wayMachine, p.wayVPC = machine, vpc
	for r := range maps.Clone(p.routes) {
		if r.device == wayOut {
			delete(p.routes, r)
			r.via = machine
			p.routes[r] = true
		}
	}
	p.routes[route{table: mainTable, to: netip.PrefixFrom(machine, 32), device: wayOut}] = true
}

// takenSlots are those of addresses that anybody on the machine has, in this installation or another.
func (m *machine) takenSlots() (map[int]bool, error) {
	list, err := complete(func() ([]netlink.Addr, error) { return m.space.links.AddrList(nil, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list the machine's addresses: %w", err)
	}
	taken := map[int]bool{}
	for _, a := range list {
		taken[slotOf(fromIP(a.IP))] = true
	}
	return taken, nil
}

// slot is that of a way that is there; -1 is none.
func (m *machine) slot(vpc string) (int, error) {
	addresses, err := m.space.readAddresses(m.way(vpc))
	if err != nil {
		return -1, err
	}
	for a := range addresses {
		if s := slotOf(a); s >= 0 {
			return s, nil
		}
	}
	return -1, nil
}

// prepare puts the machine's rules in place, before any way or tunnel is there, or takes them away after the last one. others
// are machines of VPCs that have no plan now.
func (m *machine) prepare(plans map[string]plan, others map[netip.Addr]bool) error {
	in := inputs{tunnels: false}
	for _, id := range sortedKeys(m.ways) {
		_, a := wayAddresses(m.ways[id])
		in.ways = append(in.ways, a)
	}
	hosts := maps.Clone(others)
	for _, p := range plans {
		in.tunnels = in.tunnels || p.underlay.IsValid()
		maps.Copy(hosts, p.hosts)
	}
	_, in.hosts = differencesFunc(nil, hosts, netip.Addr.Compare)
	if want := fmt.Sprint(in); m.made != want {
		m.made = ""
		if err := m.space.do("make the machine's table", func() error { return m.space.rules.transaction(func() error { return m.makeTable(in) }) }); err != nil {
			return err
		}
		m.made = want
	}
	if len(in.ways) == 0 {
		return m.closeFirewall()
	}
	if err := m.space.settings(setting{"ipv4/ip_forward", "1"}); err != nil {
		return err
	}
	return m.openFirewall()
}

// inputs are what the machine's table is made of.
type inputs struct {
	ways    []netip.Addr // the VPCs' addresses on their ways out
	tunnels bool
	hosts   []netip.Addr // the other machines
}

// The sets of the machine's table.
const (
	setWays  = "ways"
	setHosts = "hosts"
)

// makeTable puts the machine's table into the batch; without ways and tunnels there is none.
func (m *machine) makeTable(in inputs) error {
	r := m.space.rules
	t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: m.table()}
	if len(in.ways) == 0 && !in.tunnels {
		r.conn.AddTable(t)
		r.conn.DelTable(t)
		return nil
	}
	r.replaceTable(t.Name)
	for _, s := range []struct {
		name      string
		addresses []netip.Addr
	}{{setWays, in.ways}, {setHosts, in.hosts}} {
		if err := r.addSet(t, s.name); err != nil {
			return err
		}
		elements := make([]element, len(s.addresses))
		for i, a := range s.addresses {
			elements[i] = element{set: s.name, address: a}
		}
		if err := r.elements(t, elements, r.conn.SetAddElements); err != nil {
			return err
		}
	}
	if in.tunnels {
		m.tableTunnels(r, t)
	}
	m.tableForward(r, t)
	before := nftables.ChainPriorityRef(*nftables.ChainPriorityFilter - 10)
	c := r.base(t, "input", nftables.ChainHookInput, before, nftables.ChainPolicyAccept)
	r.rule(c, fromPrefix(m.prefixOfWays()), established(), accept())
	r.rule(c, fromPrefix(m.prefixOfWays()), drop())
	nat := r.base(t, "nat", nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource, nftables.ChainPolicyAccept)
	r.rule(nat, toPrefix(m.prefixOfWays()), masquerade())
	r.rule(nat, inSet(offsetSource, setWays), notTo(m.prefixOfWays()), masquerade())
	return nil
}

// tableTunnels lets only the machines themselves speak VXLAN with each other: not strangers, not what a machine forwards and gives its own address, and not
// the programs on it, which all could put packets into any VPC.
func (m *machine) tableTunnels(r *ruleset, t *nftables.Table) {
	vxlan := rulePart(protocol(protocolUDP), port(int32(m.port), int32(m.port)))
	in := r.base(t, "tunnels", nftables.ChainHookPrerouting, nftables.ChainPriorityRaw, nftables.ChainPolicyAccept)
	r.rule(in, vxlan, local(), notInSet(offsetSource, setHosts), drop())
	before := nftables.ChainPriorityRef(*nftables.ChainPriorityFilter - 20)
	through := r.base(t, "through", nftables.ChainHookForward, before, nftables.ChainPolicyAccept)
	r.rule(through, vxlan, inSet(offsetDestination, setHosts), drop())
	out := r.base(t, "output", nftables.ChainHookOutput, nftables.ChainPriorityFilter, nftables.ChainPolicyAccept)
	r.rule(out, vxlan, inSet(offsetDestination, setHosts), byProgram(), drop())
}

// tableForward lets VPCs out, to nobody's link-local addresses and to no other VPC, and answers in. What is not of a VPC is not its matter.
func (m *machine) tableForward(r *ruleset, t *nftables.Table) {
	before := nftables.ChainPriorityRef(*nftables.ChainPriorityFilter - 10)
	c := r.base(t, "forward", nftables.ChainHookForward, before, nftables.ChainPolicyAccept)
	ways := m.prefixOfWays()
	r.rule(c, fromPrefix(ways), toPrefix(ways), drop())
	r.rule(c, toPrefix(ways), established(), accept())
	r.rule(c, toPrefix(ways), drop())
	r.rule(c, fromPrefix(ways), notInSet(offsetSource, setWays), drop())
	for _, never := range []string{"169.254.0.0/16", "127.0.0.0/8"} {
		r.rule(c, fromPrefix(ways), in(offsetDestination, netip.MustParsePrefix(never)), drop())
	}
}

// makeWay makes a VPC's way out: a pair of devices, one of them here.
func (m *machine) makeWay(v *vpc, p plan, have *found) error {
	name := m.way(v.id)
	l, err := v.space.link(wayOut)
	if err != nil {
		return err
	}
	if l == nil {
		if err := m.space.deleteLink(name); err != nil { // of a namespace that is ending
			return err
		}
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: wayOut, MTU: mtuPlain, TxQLen: 1000}, PeerName: name, PeerNamespace: netlink.NsFd(m.space.ns)}
		if err := v.space.do("make the way out", func() error { return v.space.links.LinkAdd(pair) }); err != nil {
			return err
		}
		have.lose(wayOut)
	} else if v.plan.wayVPC == p.wayVPC {
		return nil // it was made so
	}
	if err := v.space.settings(setting{"ipv4/conf/" + wayOut + "/rp_filter", "0"}); err != nil { // all the world is behind it
		return err
	}
	if err := v.space.up(wayOut); err != nil {
		return err
	}
	if err := v.space.setAddresses(wayOut, nil, map[netip.Addr]bool{p.wayVPC: true}); err != nil {
		return err
	}
	return m.setEnd(name, p)
}

// setEnd sets up the machine's end of a way.
func (m *machine) setEnd(name string, p plan) error {
	l, err := m.space.links.LinkByName(name)
	if err != nil {
		return fmt.Errorf("look for device %s: %w", name, err)
	}
	if err := m.space.do("name "+name, func() error { return m.space.links.LinkSetAlias(l, "berth "+m.installation+" "+p.vpc) }); err != nil {
		return err
	}
	if err := m.space.setAddresses(name, nil, map[netip.Addr]bool{p.wayMachine: true}); err != nil {
		return err
	}
	if err := m.space.up(name); err != nil {
		return err
	}
	to := route{table: mainTable, to: netip.PrefixFrom(p.wayVPC, 32), device: name}
	return m.space.do("set route "+to.String(), func() error { return m.space.links.RouteReplace(to.kernel(l.Attrs().Index)) })
}

// reach gives the machine routes to the VPCs that it shall reach, but where it has others there, and takes away those to others
// but of VPCs that failed.
func (m *machine) reach(plans map[string]plan, failed map[string]error) error {
	list, err := complete(func() ([]netlink.Route, error) { return m.space.links.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return fmt.Errorf("list the machine's routes: %w", err)
	}
	links, err := complete(m.space.links.LinkList)
	if err != nil {
		return fmt.Errorf("list the machine's devices: %w", err)
	}
	index, names := map[string]int{}, map[int]string{}
	for _, l := range links {
		index[l.Attrs().Name], names[l.Attrs().Index] = l.Attrs().Index, l.Attrs().Name
	}
	have, foreign := map[route]bool{}, []netip.Prefix{}
	kept := map[string]bool{}
	for id := range failed {
		kept[m.way(id)] = true
	}
	for _, r := range list {
		if r.Dst == nil || r.Dst.IP.IsUnspecified() {
			continue
		}
		device, to := names[r.LinkIndex], fromIPNet(r.Dst)
		if kept[device] || !strings.HasPrefix(device, m.prefixOfWays()) {
			foreign = append(foreign, to)
		} else if slotOf(to.Addr().Prev()) < 0 { // not the one to the way's other end
			have[route{table: mainTable, to: to, device: device, via: fromIP(r.Gw)}] = true
		}
	}
	return m.setReach(plans, have, foreign, index)
}

func (m *machine) setReach(plans map[string]plan, have map[route]bool, foreign []netip.Prefix, index map[string]int) error {
	want := map[route]bool{}
	for _, id := range sortedKeys(plans) {
		p := plans[id]
		if !p.reachable || index[m.way(id)] == 0 {
			continue
		}
		for _, c := range p.cidrs {
			if n := slices.IndexFunc(foreign, c.Overlaps); n >= 0 {
				m.warn(id, c, foreign[n])
				continue
			}
			foreign = append(foreign, c)
			want[route{table: mainTable, to: c, device: m.way(id), via: p.wayVPC}] = true
		}
	}
	gone, new := differencesFunc(have, want, compareRoutes)
	for _, r := range gone {
		if err := m.space.do("delete route "+r.String(), func() error { return ignore(m.space.links.RouteDel(r.kernel(index[r.device])), unix.ESRCH) }); err != nil {
			return err
		}
	}
	for _, r := range new {
		if err := m.space.do("set route "+r.String(), func() error { return m.space.links.RouteAdd(r.kernel(index[r.device])) }); err != nil {
			return err
		}
	}
	return nil
}

// warn logs, once for each VPC, that the machine cannot reach it.
func (m *machine) warn(vpc string, cidr, other netip.Prefix) {
	if !m.refused[vpc] {
		m.refused[vpc] = true
		m.log.Warn("the machine has another route into the VPC's range, so it does not reach the VPC's tasks itself", "vpc", vpc, "cidr", cidr, "route", other)
	}
}

// sweep removes ways of VPCs that are not kept.
func (m *machine) sweep(keep map[string]bool) error {
	links, err := complete(m.space.links.LinkList)
	if err != nil {
		return fmt.Errorf("list the machine's devices: %w", err)
	}
	names := map[string]bool{}
	for id := range keep {
		names[m.way(id)] = true
	}
	for _, l := range links {
		if n := l.Attrs().Name; strings.HasPrefix(n, m.prefixOfWays()) && !names[n] {
			if err := m.space.deleteLink(n); err != nil {
				return err
			}
		}
	}
	return nil
}
