package network

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dump is all that an installation has in the kernel, in an order that is always the same, without numbers that the kernel gives.
func dump(t testing.TB, k *Keeper, tasks ...task) string {
	t.Helper()
	return strings.Join(dumpLines(t, k, tasks...), "\n")
}

func dumpLines(t testing.TB, k *Keeper, tasks ...task) []string {
	t.Helper()
	var b strings.Builder
	files, err := filepath.Glob(filepath.Join(namespaces, k.machine.prefix()+"*"))
	must(t, err)
	for _, f := range files {
		name := filepath.Base(f)
		fmt.Fprintf(&b, "== %s\n", strings.TrimPrefix(name, k.machine.prefix()))
		if !isNamespace(name) {
			b.WriteString("no namespace\n")
			continue
		}
		s, err := openNamespace(name, nil)
		must(t, err)
		dumpSpace(t, &b, s, func(string) bool { return true }, nil)
		must(t, s.close())
	}
	b.WriteString("== machine\n")
	dumpSpace(t, &b, k.machine.space, func(device string) bool { return strings.HasPrefix(device, k.machine.prefixOfWays()) }, k.machine)
	for i, x := range tasks {
		fmt.Fprintf(&b, "== task %d\n", i)
		s := x.space(t)
		dumpSpace(t, &b, s, func(string) bool { return true }, nil)
	}
	return strings.Split(strings.ReplaceAll(b.String(), k.machine.installation, "INSTALLATION"), "\n")
}

func dumpSpace(t testing.TB, b *strings.Builder, s *space, which func(device string) bool, m *machine) {
	t.Helper()
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	links, err := complete(s.links.LinkList)
	must(t, err)
	names := map[int]string{}
	for _, l := range links {
		a := l.Attrs()
		if !which(a.Name) {
			continue
		}
		names[a.Index] = a.Name
		mac := a.HardwareAddr.String()
		if a.Name == wayOut || a.Alias != "" {
			mac = "any" // the kernel's choice
		}
		say("device %s %s mtu %d up %v mac %s alias %q", a.Name, l.Type(), a.MTU, a.Flags&unix.IFF_UP != 0, mac, a.Alias)
		addresses, err := complete(func() ([]netlink.Addr, error) { return s.links.AddrList(l, unix.AF_INET) })
		must(t, err)
		for _, x := range addresses {
			say("address %s on %s", x.IPNet, a.Name)
		}
		for _, family := range []int{unix.AF_INET, unix.AF_BRIDGE} {
			neighbours, err := complete(func() ([]netlink.Neigh, error) { return s.links.NeighList(a.Index, family) })
			must(t, err)
			for _, n := range neighbours {
				if n.State&netlink.NUD_PERMANENT != 0 && n.IP != nil && !n.IP.IsMulticast() && !n.IP.IsLoopback() {
					say("neighbour %s is %s on %s", n.IP, n.HardwareAddr, a.Name)
				}
			}
		}
	}
	routes, err := complete(func() ([]netlink.Route, error) {
		return s.links.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	must(t, err)
	for _, r := range routes {
		if device, ok := names[r.LinkIndex]; ok || r.Type == unix.RTN_BLACKHOLE {
			say("route %s via %v dev %s table %d type %d", r.Dst, r.Gw, device, r.Table, r.Type)
		}
	}
	rules, err := complete(func() ([]netlink.Rule, error) { return s.links.RuleList(unix.AF_INET) })
	must(t, err)
	for _, r := range rules {
		say("rule %d from %s mark %d table %d", r.Priority, r.Src, r.Mark, r.Table)
	}
	lines = append(lines, dumpTables(t, s, m)...)
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "\n") + "\n")
}

// dumpTables is all tables of a namespace; of the machine's, only its own and its rules elsewhere.
func dumpTables(t testing.TB, s *space, m *machine) (lines []string) {
	t.Helper()
	chains, err := s.rules.conn.ListChains()
	must(t, err)
	for _, c := range chains {
		rules, err := s.rules.conn.GetRules(c.Table, c)
		must(t, err)
		foreign := m != nil && c.Table.Name != m.table()
		for i, r := range rules {
			if foreign && string(r.UserData) != string(m.comment()) {
				continue
			}
			text := fmt.Sprintf("%s %s rule %d %q:", c.Table.Name, c.Name, i, r.UserData)
			for _, e := range r.Exprs {
				text += fmt.Sprintf(" %T%+v", e, e)
			}
			lines = append(lines, text)
		}
		if foreign {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %v %v", c.Table.Name, c.Name, c.Type, c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop))
	}
	tables, err := s.rules.conn.ListTables()
	must(t, err)
	for _, table := range tables {
		if m != nil && table.Name != m.table() {
			continue
		}
		lines = append(lines, "table "+table.Name)
		sets, err := s.rules.conn.GetSets(table)
		must(t, err)
		for _, set := range sets {
			lines = append(lines, fmt.Sprintf("set %s %s", table.Name, set.Name))
			elements, err := s.rules.conn.GetSetElements(set)
			must(t, err)
			for _, e := range elements {
				line := fmt.Sprintf("element %s %s %x : %x", table.Name, set.Name, e.Key, e.Val)
				if e.VerdictData != nil {
					line += " " + e.VerdictData.Chain
				}
				lines = append(lines, line)
			}
		}
	}
	return lines
}
