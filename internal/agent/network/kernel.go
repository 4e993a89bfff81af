package network

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// found is what a VPC's namespace has, in the plan's terms: after a restart it is read, later it is what was made.
type found struct {
	addresses map[netip.Addr]bool // of the loopback
	routes    map[route]bool
	rules     map[rule]bool
	hosts     map[netip.Addr]bool
	devices   map[string]netip.Addr // of tasks' interfaces; an address is not valid where there is no route to it
	table     table
}

// link finds a device; nil is none.
func (s *space) link(name string) (netlink.Link, error) {
	l, err := s.links.LinkByName(name)
	if errors.As(err, &netlink.LinkNotFoundError{}) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for device %s: %w", name, err)
	}
	return l, nil
}

// deleteLink removes a device. One that is not there is no error.
func (s *space) deleteLink(name string) error {
	l, err := s.link(name)
	if err != nil || l == nil {
		return err
	}
	return s.do("delete device "+name, func() error { return ignore(s.links.LinkDel(l), unix.ENODEV) })
}

// complete runs a listing of the kernel again where it changed meanwhile.
func complete[T any](list func() ([]T, error)) ([]T, error) {
	for range 10 {
		l, err := list()
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return l, err
		}
	}
	return list()
}

// read looks what a namespace has, all but its table.
func (s *space) read() (found, error) {
	f := found{routes: map[route]bool{}, rules: map[rule]bool{}, hosts: map[netip.Addr]bool{}, devices: map[string]netip.Addr{}}
	links, err := complete(s.links.LinkList)
	if err != nil {
		return f, fmt.Errorf("list devices: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
		if strings.HasPrefix(l.Attrs().Name, devicePrefix) {
			f.devices[l.Attrs().Name] = netip.Addr{}
		}
		if l.Attrs().Name == tunnel {
			if f.hosts, err = s.readHosts(l); err != nil {
				return f, err
			}
		}
	}
	if f.addresses, err = s.readAddresses(loopback); err != nil {
		return f, err
	}
	if err := s.readRoutes(f, names); err != nil {
		return f, err
	}
	rules, err := complete(func() ([]netlink.Rule, error) { return s.links.RuleList(unix.AF_INET) })
	if err != nil {
		return f, fmt.Errorf("list rules: %w", err)
	}
	for _, r := range rules {
		if r.Src != nil && (r.Priority == priorityPublic || r.Priority == priorityPrivate) {
			f.rules[rule{r.Priority, fromIPNet(r.Src), r.Mark, r.Table}] = true
		}
	}
	return f, nil
}

// readAddresses reads a device's IPv4 addresses, without 127.0.0.1.
func (s *space) readAddresses(device string) (map[netip.Addr]bool, error) {
	found := map[netip.Addr]bool{}
	l, err := s.link(device)
	if err != nil || l == nil {
		return found, err
	}
	list, err := complete(func() ([]netlink.Addr, error) { return s.links.AddrList(l, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of %s: %w", device, err)
	}
	for _, a := range list {
		if !a.IP.IsLoopback() {
			found[fromIP(a.IP)] = true
		}
	}
	return found, nil
}

// readHosts reads which machines the tunnel has both entries of: a neighbour and where its MAC is.
func (s *space) readHosts(l netlink.Link) (map[netip.Addr]bool, error) {
	neighbours, err := complete(func() ([]netlink.Neigh, error) { return s.links.NeighList(l.Attrs().Index, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list neighbours: %w", err)
	}
	entries, err := complete(func() ([]netlink.Neigh, error) { return s.links.NeighList(l.Attrs().Index, unix.AF_BRIDGE) })
	if err != nil {
		return nil, fmt.Errorf("list the tunnel's entries: %w", err)
	}
	at := map[string]bool{}
	for _, e := range entries {
		if e.IP != nil {
			at[e.HardwareAddr.String()+" "+e.IP.String()] = true
		}
	}
	hosts := map[netip.Addr]bool{}
	for _, n := range neighbours {
		hosts[fromIP(n.IP)] = at[n.HardwareAddr.String()+" "+n.IP.String()] && n.State&netlink.NUD_PERMANENT != 0
	}
	return hosts, nil
}

// readRoutes reads the routes, but those of the kernel. Those to local interfaces come and go with their devices, and tell their addresses.
func (s *space) readRoutes(into found, names map[int]string) error {
	list, err := complete(func() ([]netlink.Route, error) {
		return s.links.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	for _, r := range list {
		device := names[r.LinkIndex]
		if r.Protocol == unix.RTPROT_KERNEL {
			continue
		}
		if _, local := into.devices[device]; local {
			if r.Dst != nil {
				into.devices[device] = fromIP(r.Dst.IP)
			}
			continue
		}
		have := route{table: r.Table, to: netip.PrefixFrom(netip.IPv4Unspecified(), 0), device: device, via: fromIP(r.Gw)}
		if r.Dst != nil {
			have.to = fromIPNet(r.Dst)
		}
		if r.Type == unix.RTN_BLACKHOLE {
			have.device = ""
		}
		into.routes[have] = true
	}
	return nil
}

// lose notes that a device, made anew, has nothing yet.
func (f *found) lose(device string) {
	f.routes = without(f.routes, func(r route) bool { return r.device == device })
	if device == tunnel {
		f.hosts = nil
	}
}

// without is a copy of a set without some of it.
func without[K comparable](set map[K]bool, drop func(K) bool) map[K]bool {
	kept := map[K]bool{}
	for k := range set {
		if !drop(k) {
			kept[k] = true
		}
	}
	return kept
}

// setAddresses gives a device the addresses, each a /32, and takes others away.
func (s *space) setAddresses(device string, have, want map[netip.Addr]bool) error {
	gone, new := differencesFunc(have, want, netip.Addr.Compare)
	if len(gone)+len(new) == 0 {
		return nil
	}
	l, err := s.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("look for device %s: %w", device, err)
	}
	for _, a := range new {
		err := s.do(fmt.Sprintf("add address %s to %s", a, device), func() error { return s.links.AddrReplace(l, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, 32))}) })
		if err != nil {
			return err
		}
	}
	for _, a := range gone {
		err := s.do(fmt.Sprintf("take address %s from %s", a, device), func() error {
			return ignore(s.links.AddrDel(l, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(a, 32))}), unix.EADDRNOTAVAIL)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// setRoutes makes the routes as wanted. A table has one route to a destination, which a new one replaces.
func (s *space) setRoutes(have, want map[route]bool) error {
	gone, new := differencesFunc(have, want, compareRoutes)
	type place struct {
		table int
		to    netip.Prefix
	}
	taken := map[place]bool{}
	indices := map[string]int{"": 0}
	for _, r := range new {
		taken[place{r.table, r.to}] = true
		if _, ok := indices[r.device]; !ok {
			l, err := s.links.LinkByName(r.device)
			if err != nil {
				return fmt.Errorf("look for device %s: %w", r.device, err)
			}
			indices[r.device] = l.Attrs().Index
		}
		if err := s.do("set route "+r.String(), func() error { return s.links.RouteReplace(r.kernel(indices[r.device])) }); err != nil {
			return err
		}
	}
	for _, r := range gone {
		if taken[place{r.table, r.to}] {
			continue
		}
		err := s.do("delete route "+r.String(), func() error { return ignore(s.links.RouteDel(r.kernel(0)), unix.ESRCH) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *space) setRules(have, want map[rule]bool) error {
	gone, new := differencesFunc(have, want, compareRules)
	for _, r := range new {
		if err := s.do("add rule "+r.String(), func() error { return ignore(s.links.RuleAdd(r.kernel()), unix.EEXIST) }); err != nil {
			return err
		}
	}
	for _, r := range gone {
		if err := s.do("delete rule "+r.String(), func() error { return ignore(s.links.RuleDel(r.kernel()), unix.ENOENT) }); err != nil {
			return err
		}
	}
	return nil
}

func (r route) kernel(index int) *netlink.Route {
	k := &netlink.Route{LinkIndex: index, Dst: ipNet(r.to), Table: r.table, Family: unix.AF_INET, Protocol: unix.RTPROT_STATIC, Type: unix.RTN_UNICAST}
	switch {
	case r.device == "":
		k.Type = unix.RTN_BLACKHOLE
	case r.via.IsValid():
		k.Gw, k.Flags = r.via.AsSlice(), int(netlink.FLAG_ONLINK)
	default:
		k.Scope = unix.RT_SCOPE_LINK
	}
	return k
}

func (r route) String() string {
	text := r.to.String()
	if r.via.IsValid() {
		text += " via " + r.via.String()
	}
	if r.device == "" {
		text = "blackhole " + text
	} else {
		text += " dev " + r.device
	}
	return fmt.Sprintf("%s table %d", text, r.table)
}

func (r rule) kernel() *netlink.Rule {
	k := netlink.NewRule()
	k.Family, k.Priority, k.Src, k.Mark, k.Table = unix.AF_INET, r.priority, ipNet(r.from), r.mark, r.table
	return k
}

func (r rule) String() string {
	text := fmt.Sprintf("%d: from %s", r.priority, r.from)
	if r.mark != 0 {
		text += fmt.Sprintf(" fwmark %#x", r.mark)
	}
	return fmt.Sprintf("%s lookup %d", text, r.table)
}

func compareRoutes(a, b route) int {
	return cmp.Or(cmp.Compare(a.table, b.table), a.to.Addr().Compare(b.to.Addr()), cmp.Compare(a.to.Bits(), b.to.Bits()),
		cmp.Compare(a.device, b.device), a.via.Compare(b.via))
}

func compareRules(a, b rule) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), a.from.Addr().Compare(b.from.Addr()), cmp.Compare(a.from.Bits(), b.from.Bits()),
		cmp.Compare(a.table, b.table), cmp.Compare(a.mark, b.mark))
}

// ignore takes errors that mean that nothing was left to do for none.
func ignore(err error, harmless ...error) error {
	for _, h := range harmless {
		if errors.Is(err, h) {
			return nil
		}
	}
	return err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}

func fromIPNet(n *net.IPNet) netip.Prefix {
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(fromIP(n.IP), bits)
}

// fromIP is not valid where there is no address.
func fromIP(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
