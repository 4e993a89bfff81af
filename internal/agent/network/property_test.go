package network

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"pgregory.net/rapid"

	"berth/internal/acsproto"
)

// someWorld draws a VPC with up to six interfaces in up to four groups.
func someWorld(r *rapid.T, label string) world {
	w := newWorld()
	delete(w.Groups, "sg-open")
	groups := []string{"sg-1", "sg-2", "sg-3", "sg-4"}
	rules := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) acsproto.SecurityRule {
		s := acsproto.SecurityRule{Protocol: rapid.SampledFrom([]string{"tcp", "udp", "icmp", "-1", "50"}).Draw(r, "protocol"), From: -1, To: -1}
		if s.Protocol == "tcp" || s.Protocol == "udp" {
			s.From = rapid.Int32Range(0, 3).Draw(r, "from")
			s.To = s.From + rapid.Int32Range(0, 2).Draw(r, "more")
		}
		if rapid.Bool().Draw(r, "by group") {
			s.Group = rapid.SampledFrom(groups).Draw(r, "peer")
		} else {
			s.CIDR = rapid.SampledFrom([]string{"0.0.0.0/0", "10.0.1.0/25", "10.0.1.2/32"}).Draw(r, "cidr")
		}
		return s
	}), 0, 3)
	for _, g := range groups {
		if rapid.Bool().Draw(r, label+g) {
			w.group(g, rules.Draw(r, "ingress"), rules.Draw(r, "egress"))
		}
	}
	w.nic("eni-0", "10.0.1.100") // so that there always is a namespace
	for i := 1; i <= rapid.IntRange(0, 6).Draw(r, "interfaces"); i++ {
		w.nic(fmt.Sprintf("eni-%d", i), fmt.Sprintf("10.0.1.%d", i), rapid.SliceOfNDistinct(rapid.SampledFrom(groups), 0, 3, rapid.ID).Draw(r, "groups")...)
		n := w.Interfaces[fmt.Sprintf("eni-%d", i)]
		n.Local = rapid.Bool().Draw(r, "local")
		w.Interfaces[n.ID] = n
	}
	if rapid.Bool().Draw(r, "out") {
		w.route("vpc-1", "subnet-a", acsproto.Route{Destination: "0.0.0.0/0", Via: "nat"})
	}
	return w
}

func planOf(t interface{ Fatal(...any) }, w world) plan {
	plans, failed := makePlans(w.now(), netip.Addr{}, nil)
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	return plans["vpc-1"]
}

// TestChangesLeadFromAnyTableToAnyOther: what the kernel is told makes of one table the other, and never refers to what is not there.
func TestChangesLeadFromAnyTableToAnyOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		have, want := planOf(r, someWorld(r, "before")).table, planOf(r, someWorld(r, "after")).table
		c := diff(have, want)
		got, err := follow(have, c, want)
		if err != nil {
			r.Fatalf("%v\n%s", err, c.text(want))
		}
		if d := cmp.Diff(want.chains, got.chains, cmp.Comparer(func(a, b clause) bool { return a == b })); d != "" {
			r.Fatalf("chains:\n%s", d)
		}
		if !maps.Equal(want.elements, got.elements) || !maps.Equal(want.sets, got.sets) {
			r.Fatalf("elements %v, want %v", got.elements, want.elements)
		}
		if again := diff(want, want); !again.empty() {
			r.Fatalf("nothing has changed, and yet\n%s", again.text(want))
		}
	})
}

// follow does the changes as the kernel does.
func follow(have table, c changes, want table) (table, error) {
	t := table{sets: maps.Clone(have.sets), elements: maps.Clone(have.elements), chains: maps.Clone(have.chains)}
	for _, e := range c.dropElements {
		if !t.elements[e] {
			return t, fmt.Errorf("deletes %s, which is not there", e)
		}
		delete(t.elements, e)
	}
	for _, s := range c.addSets {
		t.sets[s] = true
	}
	for _, n := range c.addChains {
		t.chains[n] = nil
	}
	for _, n := range c.fill {
		for _, k := range want.chains[n] {
			if _, ok := t.chains[k.jump]; k.jump != "" && !ok || k.group != "" && !t.sets[k.group] {
				return t, fmt.Errorf("chain %s: %s: it is not there", n, k)
			}
		}
		t.chains[n] = want.chains[n]
	}
	for _, e := range c.addElements {
		if _, ok := t.chains[e.chain]; e.chain != "" && !ok {
			return t, fmt.Errorf("adds %s without the chain", e)
		}
		for other := range t.elements {
			if other.set == e.set && other.device == e.device && other.address == e.address {
				return t, fmt.Errorf("adds %s beside %s", e, other)
			}
		}
		t.elements[e] = true
	}
	for _, n := range c.dropChains { // their rules go first
		t.chains[n] = nil
	}
	for _, n := range c.dropChains {
		for e := range t.elements {
			if e.chain == n {
				return t, fmt.Errorf("deletes chain %s, used by %s", n, e)
			}
		}
		for other, clauses := range t.chains {
			if slices.ContainsFunc(clauses, func(k clause) bool { return k.jump == n }) {
				return t, fmt.Errorf("deletes chain %s, used by %s", n, other)
			}
		}
		delete(t.chains, n)
	}
	for _, s := range c.dropSets {
		for other, clauses := range t.chains {
			if slices.ContainsFunc(clauses, func(k clause) bool { return k.group == s }) {
				return t, fmt.Errorf("deletes set %s, used by %s", s, other)
			}
		}
		maps.DeleteFunc(t.elements, func(e element, _ bool) bool { return e.set == s })
		delete(t.sets, s)
	}
	return t, nil
}

// TestAllowsIsWhatTheGroupsSay holds the table against a plain reading of the state.
func TestAllowsIsWhatTheGroupsSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := someWorld(r, "state")
		p := planOf(r, w)
		for id := range p.interfaces {
			for _, peer := range []string{"10.0.1.1", "10.0.1.2", "10.0.1.200", "8.8.8.8"} {
				f := flow{protocol: rapid.SampledFrom([]int{protocolTCP, protocolUDP}).Draw(r, "protocol"), port: rapid.Int32Range(0, 5).Draw(r, "port")}
				for _, direction := range []string{mapIngress, mapEgress} {
					got, want := judgeOf(p.table).allows(direction, device(id), netip.MustParseAddr(peer), f), says(w, id, direction, peer, f)
					if got != want {
						r.Fatalf("%s %s %s %s: %v, want %v", id, direction, peer, f, got, want)
					}
				}
			}
		}
	})
}

// says reads the state.
func says(w world, id, direction, peer string, f flow) bool {
	for _, g := range w.Interfaces[id].Groups {
		rules := w.Groups[g].Ingress
		if direction == mapEgress {
			rules = w.Groups[g].Egress
		}
		for _, r := range rules {
			name := map[int]string{protocolTCP: "tcp", protocolUDP: "udp"}[f.protocol]
			if r.Protocol != "-1" && (r.Protocol != name || f.port < r.From || f.port > r.To) {
				continue
			}
			if r.CIDR != "" && netip.MustParsePrefix(r.CIDR).Contains(netip.MustParseAddr(peer)) {
				return true
			}
			for _, n := range w.Interfaces {
				if r.Group != "" && n.Address == peer && slices.Contains(n.Groups, r.Group) {
					return true
				}
			}
		}
	}
	return false
}

// TestKernelTakesAnyChange leads one kernel from table to table: after each change it has what it has of a table that is made anew.
func TestKernelTakesAnyChange(t *testing.T) {
	t.Parallel()
	needRoot(t)
	changed, anew := newTask(t).space(t), newTask(t).space(t)
	first := true
	var have table
	lines := func(s *space) string { l := dumpTables(t, s, nil); slices.Sort(l); return strings.Join(l, "\n") }
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		if n++; n > 40 { // each costs the kernel some grace periods
			return
		}
		want := planOf(r, someWorld(r, "state")).table
		c := diff(have, want)
		if first {
			c = all(want)
		}
		if err := changed.rules.apply(c, want); err != nil {
			r.Fatalf("%v\n%s", err, c.text(want))
		}
		first, have = false, want
		if err := anew.rules.apply(all(want), want); err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(lines(anew), lines(changed)); d != "" {
			r.Fatalf("%s\n%s", d, c.text(want))
		}
	})
}

// TestFailedBatchIsForgotten: what the kernel refuses changes nothing, and nothing of it is left for the next batch.
func TestFailedBatchIsForgotten(t *testing.T) {
	t.Parallel()
	needRoot(t)
	s := newTask(t).space(t)
	w := newWorld()
	w.nic("eni-a", "10.0.1.10", "sg-open")
	want := planOf(t, w).table
	must(t, s.rules.apply(all(want), want))
	sorted := func() []string { return slices.Sorted(slices.Values(dumpTables(t, s, nil))) }
	before := sorted()
	bad := changes{addSets: []string{"sg-new"}, addElements: []element{{set: mapEgress, device: "x", chain: "nowhere"}, {set: "sg-none", address: netip.MustParseAddr("10.0.1.1")}}}
	if err := s.rules.apply(bad, want); err == nil {
		t.Fatal("the kernel took what leads nowhere")
	}
	half := errors.New("no more")
	if err := s.rules.transaction(func() error { // what was put into a batch that was given up
		s.rules.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "half"})
		return half
	}); !errors.Is(err, half) {
		t.Errorf("got %v", err)
	}
	must(t, s.rules.apply(changes{addChains: []string{"other"}}, want))
	must(t, s.rules.apply(changes{dropChains: []string{"other"}}, want))
	if d := cmp.Diff(before, sorted()); d != "" {
		t.Errorf("it left\n%s", d)
	}
}
