package vpc

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"berth/internal/apierr"
)

// AllProtocols is the protocol of a rule for all of them.
const AllProtocols = "-1"

// Protocol reads the protocol of a rule as EC2 does: tcp, udp, icmp and icmpv6 by name or number, -1 for all, and other numbers up to 255. It is the form
// that a Rule keeps. ok is false for what is none.
func Protocol(text string) (protocol string, ok bool) {
	protocol = strings.ToLower(text)
	if n, err := strconv.ParseUint(protocol, 10, 8); err == nil {
		protocol = strconv.FormatUint(n, 10)
		if name := named(protocol); name != "" {
			return name, true
		}
		return protocol, true
	}
	switch protocol {
	case "tcp", "udp", "icmp", "icmpv6", AllProtocols:
		return protocol, true
	}
	return "", false
}

// named is the name of a protocol that EC2 does not leave as a number.
func named(number string) string {
	return map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}[number]
}

// HasPorts reports whether rules of a protocol have ports, or types and codes of ICMP. Those of others are for all that the protocol carries.
func HasPorts(protocol string) bool {
	switch protocol {
	case "tcp", "udp", "icmp", "icmpv6":
		return true
	}
	return false
}

// Ports checks the ports of a rule, or its ICMP type and code, and returns them as a Rule keeps them: -1 where the protocol has none, whatever was asked for.
func Ports(protocol string, from, to *int32) (first, last int32, err error) {
	switch {
	case !HasPorts(protocol), protocol == "icmpv6" && from == nil && to == nil:
		return -1, -1, nil
	case from == nil || to == nil:
		with := "TCP/UDP"
		if strings.HasPrefix(protocol, "icmp") {
			with = "ICMP"
		}
		return 0, 0, wrong("Invalid value for portRange. Must specify both from and to ports with %s.", with)
	case strings.HasPrefix(protocol, "icmp"):
		return *from, *to, icmp(*from, *to)
	}
	return *from, *to, portRange(*from, *to)
}

// lastPort is the highest port of TCP and UDP, lastICMP the highest type and code of ICMP.
const (
	lastPort = 65535
	lastICMP = 255
)

func portRange(from, to int32) error {
	switch {
	case from < 0 || from > lastPort:
		return wrong("TCP/UDP (from) port (%d) out of range", from)
	case to < 0 || to > lastPort:
		return wrong("TCP/UDP (to) port (%d) out of range", to)
	case from > to:
		return wrong("Invalid TCP/UDP port range (%d:%d)", from, to)
	}
	return nil
}

func icmp(kind, code int32) error {
	switch {
	case kind < -1 || kind > lastICMP:
		return wrong("ICMP type (%d) out of range", kind)
	case code < -1 || code > lastICMP:
		return wrong("ICMP code (%d) out of range", code)
	case kind == -1 && code != -1:
		return wrong("ICMP code (%d) must be -1 (all codes) where the ICMP type is -1 (all types)", code)
	}
	return nil
}

// RuleCIDR reads the range of addresses of a rule in its canonical form: the bits behind the prefix are 0. v6 says which kind it must be.
func RuleCIDR(text string, v6 bool) (string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4() == v6 || p.Addr().Is4In6() {
		return "", wrong("CIDR block %.64s is malformed", text)
	}
	return p.Masked().String(), nil
}

// mostDescription is how long the description of a group or a rule may be.
const mostDescription = 255

// Describes reports whether EC2 takes a text as the description of a security group or of a rule.
func Describes(text string) bool {
	return len(text) <= mostDescription && strings.IndexFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", c)
	}) < 0
}

// Peer is whom the rule lets through: a range of addresses or a group.
func (r Rule) Peer() string { return r.CidrIPv4 + r.CidrIPv6 + r.GroupID }

// String is the rule in EC2's errors: "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW". Two rules of one direction that are the Same have one text,
// and others have others.
func (r Rule) String() string {
	var what string
	switch r.Protocol {
	case AllProtocols:
		what = "ALL"
	case "tcp", "udp":
		what = fmt.Sprintf("%s, from port: %d, to port: %d", strings.ToUpper(r.Protocol), r.FromPort, r.ToPort)
	case "icmp", "icmpv6":
		what = fmt.Sprintf("%s, type: %s, code: %s", strings.Replace(strings.ToUpper(r.Protocol), "V6", "v6", 1), icmpNumber(r.FromPort), icmpNumber(r.ToPort))
	default:
		what = "protocol: " + r.Protocol
	}
	return fmt.Sprintf("peer: %s, %s, ALLOW", r.Peer(), what)
}

// icmpNumber is an ICMP type or code in an error.
func icmpNumber(n int32) string {
	if n == -1 {
		return "ALL"
	}
	return strconv.Itoa(int(n))
}

// Permission is how answers show rules of one direction, protocol and range of ports: together.
type Permission struct {
	Protocol         string
	FromPort, ToPort int32
	Rules            []Rule
}

// Permissions are the group's rules of a direction, in the order in which the first rule of each permission came.
func (g *SecurityGroup) Permissions(egress bool) (list []Permission) {
	type key struct {
		protocol string
		from, to int32
	}
	place := map[key]int{}
	for _, r := range g.Rules {
		if r.Egress != egress {
			continue
		}
		k := key{r.Protocol, r.FromPort, r.ToPort}
		n, is := place[k]
		if !is {
			n, place[k] = len(list), len(list)
			list = append(list, Permission{Protocol: r.Protocol, FromPort: r.FromPort, ToPort: r.ToPort})
		}
		list[n].Rules = append(list[n].Rules, r)
	}
	return list
}

// RulesPerGroup is how many rules a group may have in each direction, for IPv4 and IPv6 each. A rule that names a group is one of both.
const RulesPerGroup = 60

// Full reports whether the group has more rules than it may have.
func (g *SecurityGroup) Full() bool {
	var counts [2][2]int // by direction, and IPv4 or IPv6
	for _, r := range g.Rules {
		direction := 0
		if r.Egress {
			direction = 1
		}
		if r.CidrIPv6 == "" {
			counts[direction][0]++
		}
		if r.CidrIPv4 == "" {
			counts[direction][1]++
		}
	}
	return max(counts[0][0], counts[0][1], counts[1][0], counts[1][1]) > RulesPerGroup
}

// Add gives the group new rules. The error is EC2's: for one that comes twice or is there, or for too many.
func (g *SecurityGroup) Add(rules []Rule) error {
	g.Rules = append(g.Rules[:len(g.Rules):len(g.Rules)], rules...)
	if g.Full() {
		return apierr.New("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	for n, r := range rules {
		switch at := g.find(r); {
		case at < len(g.Rules)-len(rules):
			return apierr.New("InvalidPermission.Duplicate", "the specified rule \"%s\" already exists", r)
		case at < len(g.Rules)-len(rules)+n:
			return wrong("The same permission must not appear multiple times")
		}
	}
	return nil
}

// find is the place of the first rule that is the same, -1 if there is none.
func (g *SecurityGroup) find(r Rule) int {
	for n, o := range g.Rules {
		if o.Same(r) {
			return n
		}
	}
	return -1
}

// Find is the id of the group's rule that is the same, "" if there is none.
func (g *SecurityGroup) Find(r Rule) ID {
	if n := g.find(r); n >= 0 {
		return g.Rules[n].ID
	}
	return ""
}

// Names reports whether a rule of the group names another one.
func (g *SecurityGroup) Names(other ID) bool {
	for _, r := range g.Rules {
		if r.GroupID == other {
			return true
		}
	}
	return false
}

func wrong(format string, args ...any) error {
	return apierr.New("InvalidParameterValue", format, args...)
}
