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
	gone := map[netip.Addr]bool{}
	for _, a := range v.gone {
		gone[a] = true
	}
	v.gone = nil
	for id, n := range before.interfaces {
		if a, ok := after.interfaces[id]; !ok || !a.same(n) {
			gone[n.address] = true
		}
	}
	for a, name := range before.zone.names {
		if after.zone.names[a] != name {
			gone[a] = true
		}
	}
	cut := cutter(before, after)
	if len(gone) == 0 && cut == nil {
		return nil
	}
	end := connections(func(f flow) bool {
		return gone[f.from] || gone[f.to] || cut != nil && cut(f)
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
	was, is := judgeOf(before.table), judgeOf(after.table)
	end := func(direction, back string, f flow, own, peer netip.Addr) bool {
		d, ok := devices[own]
		return ok && was.untracked(direction, back, d, f) && !is.allows(direction, d, peer, f)
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

// judge decides about packets as the kernel does with a table.
type judge struct {
	table  table
	chains map[element]string // of a direction (as set) and a device
}

func judgeOf(t table) judge {
	j := judge{t, map[element]string{}}
	for e := range t.elements {
		if e.chain != "" {
			j.chains[element{set: e.set, device: e.device}] = e.chain
		}
	}
	return j
}

// clauses are those of a device's groups in a direction.
func (j judge) clauses(direction, device string) (all []clause) {
	for _, c := range j.table.chains[j.chains[element{set: direction, device: device}]] {
		if c.jump == "" {
			all = append(all, c)
		} else {
			all = append(all, j.table.chains[c.jump]...)
		}
	}
	return all
}

// allows tells whether a device's groups let a connection through, in a direction.
func (j judge) allows(direction, device string, peer netip.Addr, f flow) bool {
	return slices.ContainsFunc(j.clauses(direction, device), func(c clause) bool {
		return c.covers(f) && (c.group == "" && c.peer.Contains(peer) || c.group != "" && j.table.elements[element{set: c.group, address: peer}])
	})
}

// untracked tells whether a connection would not be tracked at the device.
func (j judge) untracked(direction, back, device string, f flow) bool {
	return slices.ContainsFunc(j.clauses(direction, device), func(c clause) bool { return c.everybody() && c.covers(f) }) &&
		slices.ContainsFunc(j.clauses(back, device), func(c clause) bool {
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
