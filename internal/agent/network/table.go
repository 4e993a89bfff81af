package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"berth/internal/acsproto"
)

// table is the nftables table of a VPC's namespace, as far as it changes: its base chains follow from fixed.
type table struct {
	fixed    fixed
	sets     map[string]bool     // sets of addresses: "own" and one for each group that a rule names
	elements map[element]bool    // of all sets and maps
	chains   map[string][]clause // those of groups, and of interfaces with several groups
}

// fixed is what the base chains are made of.
type fixed struct {
	cidrs string // joined by spaces
	dns   netip.Addr
	out   bool
}

// The sets and maps that always are.
const (
	setOwn     = "own"     // addresses of the namespace itself
	mapSources = "sources" // device and source address -> mark: what does not match has a forged source
	mapEgress  = "egress"  // device that a packet comes from -> chain
	mapIngress = "ingress" // device that a packet goes to -> chain
)

// element is an element of a set or map. What a map gives is a mark or a chain.
type element struct {
	set     string
	device  string
	address netip.Addr
	mark    uint32
	chain   string
}

// clause is a rule of a chain: it accepts what matches, or jumps to a chain.
type clause struct {
	jump string // to this chain, or:
	match
}

// match is a security group's rule in one direction.
type match struct {
	protocol int   // -1: all
	from, to int32 // ports; ICMP type and code; -1: all
	peer     netip.Prefix
	group    string // the peer is a member of it
}

const (
	protocolICMP = 1
	protocolTCP  = 6
	protocolUDP  = 17
)

// makeTable makes the table for a plan's interfaces and all that are known of the VPC.
func makeTable(p plan, nics []nic, groups map[string]acsproto.SecurityGroup) (table, error) {
	t := table{sets: map[string]bool{setOwn: true}, elements: map[element]bool{}, chains: map[string][]clause{}}
	t.fixed = fixed{cidrs: join(p.cidrs), dns: p.dns, out: p.out}
	for _, a := range p.own {
		t.elements[element{set: setOwn, address: a}] = true
	}
	for _, id := range sortedKeys(p.interfaces) {
		n := p.interfaces[id]
		mark := uint32(markPrivate)
		if n.public {
			mark = markPublic
		}
		t.elements[element{set: mapSources, device: device(id), address: n.address, mark: mark}] = true
		for _, direction := range []string{mapEgress, mapIngress} {
			chain, err := t.chain(direction, n.groups, groups)
			if err != nil {
				return table{}, err
			}
			if chain != "" {
				t.elements[element{set: direction, device: device(id), chain: chain}] = true
			}
		}
	}
	for _, n := range nics {
		for _, g := range n.groups {
			if t.sets[g] {
				t.elements[element{set: g, address: n.address}] = true
			}
		}
	}
	return t, nil
}

// chain makes the chain of an interface with these groups, if it is not there yet, and returns its name. Interfaces with the same groups share it. ""
// is that of none, which denies everything.
func (t *table) chain(direction string, members []string, groups map[string]acsproto.SecurityGroup) (string, error) {
	var clauses []clause
	for _, g := range members {
		name := direction + "-" + g
		if _, done := t.chains[name]; !done {
			matches, err := t.group(direction, groups[g])
			if err != nil {
				return "", fmt.Errorf("group %s: %w", g, err)
			}
			t.chains[name] = matches
		}
		clauses = append(clauses, clause{jump: name})
	}
	switch len(clauses) {
	case 0:
		return "", nil
	case 1:
		return clauses[0].jump, nil
	}
	name := direction + "-" + strings.Join(members, "-")
	if len(name) > 120 { // the kernel takes 255, and messages with a thousand of them stay small
		name = direction + "-" + digest(name)[:16]
	}
	t.chains[name] = clauses
	return name, nil
}

// group makes the clauses of a group's rules in a direction. A group that is not known, or not yet, allows nothing.
func (t *table) group(direction string, g acsproto.SecurityGroup) ([]clause, error) {
	rules, field := g.Ingress, "ingress"
	if direction == mapEgress {
		rules, field = g.Egress, "egress"
	}
	clauses := []clause{}
	for i, r := range rules {
		m, err := parseRule(r)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", field, i, err)
		}
		if m.group != "" {
			t.sets[m.group] = true
		} else if !m.peer.IsValid() {
			continue // there is no IPv6 in a VPC that it could match
		}
		clauses = append(clauses, clause{match: m})
	}
	slices.SortFunc(clauses, func(a, b clause) int { return cmp.Compare(a.match.String(), b.match.String()) })
	return slices.Compact(clauses), nil
}

// parseRule reads a rule. One for IPv6 addresses has neither peer nor group.
func parseRule(r acsproto.SecurityRule) (m match, err error) {
	if m.protocol, err = parseProtocol(r.Protocol); err != nil {
		return match{}, err
	}
	m.from, m.to = -1, -1
	switch m.protocol {
	case protocolTCP, protocolUDP:
		if r.From > 0 || r.To >= 0 && r.To < 65535 {
			m.from, m.to = r.From, r.To
		}
		if r.From < -1 || r.From > 65535 || r.To < -1 || r.To > 65535 || m.from > m.to {
			return match{}, fmt.Errorf("from, to: %d to %d is no range of ports", r.From, r.To)
		}
	case protocolICMP:
		m.from, m.to = r.From, r.To
		if r.From < -1 || r.From > 255 || r.To < -1 || r.To > 255 {
			return match{}, fmt.Errorf("from, to: %d and %d are no ICMP type and code", r.From, r.To)
		}
	}
	switch {
	case r.Group != "" && r.CIDR != "":
		return match{}, fmt.Errorf("cidr, group: both are given")
	case r.Group != "":
		m.group = r.Group
		return m, checkID("group", "sg", r.Group)
	}
	if p, err := netip.ParsePrefix(r.CIDR); err == nil && !p.Addr().Is4() {
		return m, nil
	}
	if m.peer, err = parsePrefix(r.CIDR); err != nil {
		return match{}, fmt.Errorf("cidr: %w", err)
	}
	return m, nil
}

func parseProtocol(text string) (int, error) {
	if n, ok := map[string]int{"-1": -1, "tcp": protocolTCP, "udp": protocolUDP, "icmp": protocolICMP, "icmpv6": 58}[text]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("protocol: %q is none of tcp, udp, icmp, icmpv6, -1 and 0 to 255", text)
	}
	return int(n), nil
}

// String is the match in the words of `nft list`, with "peer" for the address.
func (m match) String() string {
	var words []string
	switch {
	case m.protocol == protocolICMP && m.from >= 0:
		words = append(words, fmt.Sprintf("icmp type %d", m.from))
		if m.to >= 0 {
			words = append(words, fmt.Sprintf("icmp code %d", m.to))
		}
	case (m.protocol == protocolTCP || m.protocol == protocolUDP) && m.from >= 0:
		name := map[int]string{protocolTCP: "tcp", protocolUDP: "udp"}[m.protocol]
		words = append(words, fmt.Sprintf("%s dport %d-%d", name, m.from, m.to))
	case m.protocol >= 0:
		words = append(words, fmt.Sprintf("meta l4proto %d", m.protocol))
	}
	if m.group != "" {
		words = append(words, "peer @"+m.group)
	} else if m.peer.Bits() > 0 {
		words = append(words, "peer "+m.peer.String())
	}
	return strings.Join(append(words, "accept"), " ")
}

func (c clause) String() string {
	if c.jump != "" {
		return "jump " + c.jump
	}
	return c.match.String()
}

// String is the element as `nft` would say it.
func (e element) String() string {
	var key []string
	if e.device != "" {
		key = append(key, e.device)
	}
	if e.address.IsValid() {
		key = append(key, e.address.String())
	}
	text := e.set + " " + strings.Join(key, " . ")
	if e.chain != "" {
		return text + " : jump " + e.chain
	}
	if e.mark != 0 {
		return fmt.Sprintf("%s : %#x", text, e.mark)
	}
	return text
}

func join(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}
