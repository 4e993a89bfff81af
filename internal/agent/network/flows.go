package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// flow is a connection, as its first packet was.
type flow struct {
	protocol int
	from, to netip.Addr
	port     int32 // of the destination
}

// forget ends the connections that are no more: those of interfaces that are gone, whose addresses others may get, and those that a security group has let
// through without tracking them and does not let through any more.
//
// It does as a VPC does: a connection that is tracked goes on when its rule is removed, until it ends or is silent too long. One is not
// tracked if, at its interface, a rule for all addresses let it in (or out) and another one lets all TCP (or UDP) to all addresses back; it ends at once.
func (v *vpc) forget(before, after plan) error {
	gone := v.gone
	v.gone = nil
	for id, n := range before.interfaces {
		if a, ok := after.interfaces[id]; !ok || !a.same(n) {
			gone = append(gone, n.address)
		}
	}
	for a, name := range before.zone.names {
		if after.zone.names[a] != name {
			gone = append(gone, a)
		}
	}
	cut := cutter(before, after)
	if len(gone) == 0 && cut == nil {
		return nil
	}
	end := connections(func(f flow) bool {
		return slices.Contains(gone, f.from) || slices.Contains(gone, f.to) || cut != nil && cut(f)
	})
	return v.space.do("forget connections", func() error {
		_, err := v.space.links.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, end)
		return err
	})
}

// connections chooses connections.
type connections func(flow) bool

// MatchConntrackFlow implements the library's filter.
func (c connections) MatchConntrackFlow(k *netlink.ConntrackFlow) bool {
	return c(flow{protocol: int(k.Forward.Protocol), from: fromIP(k.Forward.SrcIP), to: fromIP(k.Forward.DstIP), port: int32(k.Forward.DstPort)})
}

// cutter chooses the connections that were not tracked and are allowed no more. nil chooses none.
func cutter(before, after plan) func(flow) bool {
	devices := map[netip.Addr]string{}
	for id, n := range after.interfaces {
		if _, stays := before.interfaces[id]; stays {
			devices[n.address] = device(id)
		}
	}
	if !lost(before.table, after.table) {
		return nil
	}
	end := func(direction, back string, f flow, own, peer netip.Addr) bool {
		d, ok := devices[own]
		return ok && before.table.untracked(direction, back, d, f) && !after.table.allows(direction, d, peer, f)
	}
	return func(f flow) bool {
		if f.protocol != protocolTCP && f.protocol != protocolUDP {
			return false
		}
		return end(mapIngress, mapEgress, f, f.to, f.from) || end(mapEgress, mapIngress, f, f.from, f.to)
	}
}

// lost tells whether a rule for all addresses is gone, or an interface has other groups.
func lost(before, after table) bool {
	for name, clauses := range before.chains {
		for _, c := range clauses {
			if c.everybody() && !slices.Contains(after.chains[name], c) {
				return true
			}
		}
	}
	for e := range before.elements {
		if e.chain != "" && !after.elements[e] {
			return true
		}
	}
	return false
}

// everybody tells a rule for all addresses.
func (c clause) everybody() bool { return c.jump == "" && c.group == "" && c.peer.Bits() == 0 }

// clauses are those of a device's groups in a direction.
func (t table) clauses(direction, device string) (all []clause) {
	for e := range t.elements {
		if e.set != direction || e.device != device {
			continue
		}
		for _, c := range t.chains[e.chain] {
			if c.jump == "" {
				return t.chains[e.chain]
			}
			all = append(all, t.chains[c.jump]...)
		}
	}
	return all
}

// allows tells whether a device's groups let a connection through, in a direction.
func (t table) allows(direction, device string, peer netip.Addr, f flow) bool {
	return slices.ContainsFunc(t.clauses(direction, device), func(c clause) bool {
		return c.covers(f) && (c.group == "" && c.peer.Contains(peer) || c.group != "" && t.elements[element{set: c.group, address: peer}])
	})
}

// untracked tells whether a connection would not be tracked at the device.
func (t table) untracked(direction, back, device string, f flow) bool {
	return slices.ContainsFunc(t.clauses(direction, device), func(c clause) bool { return c.everybody() && c.covers(f) }) &&
		slices.ContainsFunc(t.clauses(back, device), func(c clause) bool {
			return c.everybody() && (c.protocol < 0 || c.protocol == f.protocol && c.from < 0)
		})
}

// covers tells whether a rule is for the connection's protocol and port.
func (m match) covers(f flow) bool {
	return m.protocol < 0 || m.protocol == f.protocol && (m.from < 0 || m.from <= f.port && f.port <= m.to)
}

func (f flow) String() string {
	return strings.Join([]string{fmt.Sprint(f.protocol), f.from.String(), "->", f.to.String(), fmt.Sprint(f.port)}, " ")
}
