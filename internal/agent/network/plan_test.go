package network

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"berth/internal/agent"
	"berth/internal/golden"
)

// TestPlans shows what is made of a state: "state" is one, "then" one that follows it on the same machine, as JSON. The text above may name the machine's
// address: "underlay 192.0.2.1".
func TestPlans(t *testing.T) {
	t.Parallel()
	golden.Run(t, "testdata/plan/*.txtar", func(t *testing.T, in map[string]string) string {
		var underlay netip.Addr
		for _, line := range strings.Split(in[""], "\n") {
			if a, ok := strings.CutPrefix(line, "underlay "); ok {
				underlay = netip.MustParseAddr(a)
			}
		}
		var b strings.Builder
		before := map[string]plan{}
		for _, section := range []string{"state", "then"} {
			if in[section] == "" {
				continue
			}
			plans, failed := makePlans(readState(t, in[section]), underlay, nil)
			fmt.Fprintf(&b, "== %s\n", section)
			for _, id := range sortedKeys(failed) {
				fmt.Fprintf(&b, "%s is wrong: %v\n", id, failed[id])
			}
			for _, id := range sortedKeys(plans) {
				b.WriteString(describe(plans[id]))
				c := all(plans[id].table)
				if old, ok := before[id]; ok {
					c = diff(old.table, plans[id].table)
				}
				b.WriteString(c.text(plans[id].table))
			}
			before = plans
		}
		return b.String()
	})
}

func readState(t *testing.T, text string) agent.NetworkState {
	t.Helper()
	s := newState()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	must(t, d.Decode(&s))
	for id, v := range s.VPCs {
		v.ID = id
		s.VPCs[id] = v
	}
	for id, g := range s.Groups {
		g.ID = id
		s.Groups[id] = g
	}
	for id, n := range s.Interfaces {
		n.ID = id
		s.Interfaces[id] = n
	}
	return s
}

// describe is a plan but for its table.
func describe(p plan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: own %v, dns %v, out %v, reachable %v, mtu %d\n", p.vpc, p.own, p.dns, p.out, p.reachable, p.mtu())
	for _, id := range sortedKeys(p.interfaces) {
		n := p.interfaces[id]
		fmt.Fprintf(&b, "%s is %s: %s/%d by %s, %s\n", device(id), id, n.address, n.subnet.Bits(), n.gateway(), n.mac)
	}
	_, rules := differencesFunc(nil, p.rules, compareRules)
	for _, r := range rules {
		fmt.Fprintf(&b, "rule %s\n", r)
	}
	_, routes := differencesFunc(nil, p.routes, compareRoutes)
	for _, r := range routes {
		fmt.Fprintf(&b, "route %s\n", r)
	}
	_, hosts := differencesFunc(nil, p.hosts, netip.Addr.Compare)
	for _, h := range hosts {
		fmt.Fprintf(&b, "machine %s has %s\n", h, tunnelMAC(h, p.vpc))
	}
	names := sortedKeys(p.zone.addresses)
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(&b, "name %s %s\n", n, p.zone.addresses[n])
	}
	return b.String()
}

func TestNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{"eni-0123456789abcdef0": "eni56789abcdef0", "eni-1": "eni1"} {
		if got := device(id); got != want || len(got) > 15 {
			t.Errorf("device of %s is %s, want %s", id, got, want)
		}
	}
	n, err := newNames("abcdefghij")
	must(t, err)
	if w := n.way("vpc-0123456789abcdef0"); len(w) != 15 || !strings.HasPrefix(w, n.prefixOfWays()) {
		t.Errorf("a way is called %s", w)
	}
	if got := n.vpcOf(n.namespace("vpc-1")); got != "vpc-1" {
		t.Errorf("the namespace's VPC is %q", got)
	}
	for _, other := range []string{"berth-abcdefghijk-vpc-1", "berth-abcdefghij-x", "abcdefghij-vpc-1", "berth-abcdefghij-vpc-1/../x"} {
		if got := n.vpcOf(other); got != "" {
			t.Errorf("%s is taken for a namespace of %s", other, got)
		}
	}
	for _, bad := range []string{"", "a-b", "a/b", strings.Repeat("x", 33)} {
		if _, err := newNames(bad); err == nil {
			t.Errorf("%q is taken for an installation", bad)
		}
	}
	for slot := range waysCount {
		machine, vpc := wayAddresses(slot)
		if slotOf(machine) != slot || slotOf(vpc) != -1 || machine.Next() != vpc {
			t.Fatalf("slot %d: %s and %s", slot, machine, vpc)
		}
	}
	for _, outside := range []string{"169.254.63.254", "169.254.128.0", "10.0.0.0", "0.0.0.0"} {
		if s := slotOf(netip.MustParseAddr(outside)); s != -1 {
			t.Errorf("%s is in slot %d", outside, s)
		}
	}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	if tunnelMAC(a, "vpc-1").String() == tunnelMAC(b, "vpc-1").String() || tunnelMAC(a, "vpc-1").String() == tunnelMAC(a, "vpc-2").String() {
		t.Error("two tunnels have one MAC")
	}
}
