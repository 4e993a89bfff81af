package network

import (
	"fmt"
	"maps"
	"net/netip"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// prepare puts the machine's rules in place, before any way or tunnel is there, or takes them away after the last one. others
// are machines of VPCs that have no plan now.
func (m *machine) prepare(plans map[string]plan, others map[netip.Addr]bool) error {
	var in inputs
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
	m.inputs = in
	if err := m.keepTable(); err != nil {
		return err
	}
	if len(in.ways) == 0 {
		return m.closeFirewall()
	}
	if err := m.space.settings(setting{"ipv4/ip_forward", "1"}); err != nil {
		return err
	}
	return m.openFirewall()
}

// keepTable makes the machine's table, unless it is as it should be.
func (m *machine) keepTable() (err error) {
	in := m.inputs
	if len(in.ways) > 0 {
		if in.uplinks, err = m.uplinks(); err != nil {
			return err
		}
	}
	if want := fmt.Sprint(in); m.made != want {
		m.made = ""
		if err := m.space.do("make the machine's table", func() error { return m.space.rules.transaction(func() error { return m.makeTable(in) }) }); err != nil {
			return err
		}
		if m.rules, err = m.countRules(); err != nil {
			return err
		}
		m.made = want
	}
	return nil
}

// checkTable forgets what the table was made of where the kernel has not all of it any more: other firewalls flush all rules when they restart.
func (m *machine) checkTable() error {
	rules, err := m.countRules()
	if err == nil && rules != m.rules {
		m.log.Warn("somebody has changed the machine's rules of VPCs; they are made anew", "table", m.table(), "rules", rules, "made", m.rules)
		m.made = ""
	}
	return err
}

// countRules counts the rules of the machine's table; without a table there are none.
func (m *machine) countRules() (n int, err error) {
	chains, err := m.space.rules.chains()
	if err != nil {
		return 0, err
	}
	for _, c := range chains {
		if c.Table.Name != m.table() || c.Table.Family != nftables.TableFamilyIPv4 {
			continue
		}
		rules, err := m.space.rules.rulesOf(c)
		if err != nil {
			return 0, err
		}
		n += len(rules)
	}
	return n, nil
}

// uplinks are the devices of the machine's default routes.
func (m *machine) uplinks() ([]string, error) {
	list, err := complete(func() ([]netlink.Route, error) { return m.space.links.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list the machine's routes: %w", err)
	}
	found := map[string]bool{}
	for _, r := range list {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		for _, index := range append([]int{r.LinkIndex}, hops(r)...) {
			if l, err := m.space.links.LinkByIndex(index); err == nil { // else it has gone meanwhile
				found[l.Attrs().Name] = true
			}
		}
	}
	return sortedKeys(found), nil
}

// hops are the devices of a route with several.
func hops(r netlink.Route) (indices []int) {
	for _, h := range r.MultiPath {
		indices = append(indices, h.LinkIndex)
	}
	return indices
}

// inputs are what the machine's table is made of.
type inputs struct {
	ways    []netip.Addr // the VPCs' addresses on their ways out
	tunnels bool
	hosts   []netip.Addr // the other machines
	uplinks []string     // the devices of default routes
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
	m.tableForward(r, t, in.uplinks)
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

// tableForward lets VPCs out, to nobody's link-local addresses and to no other VPC, and answers in. What is not of a VPC is not its matter. Bridges that
// are no uplinks have the machine's own containers: a VPC reaches what they publish, as the rest of the world does, and nothing else.
func (m *machine) tableForward(r *ruleset, t *nftables.Table, uplinks []string) {
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
	r.rule(c, fromPrefix(ways), established(), accept())
	for _, u := range uplinks {
		r.rule(c, fromPrefix(ways), to(u), accept())
	}
	r.rule(c, fromPrefix(ways), toBridge(), notPublished(), drop())
}
