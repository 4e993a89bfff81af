package network

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"

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

	inputs   inputs          // of the table
	ways     map[string]int  // VPC -> slot of its addresses
	made     string          // what the table was made of; "" is not known
	rules    int             // how many rules it had then
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
