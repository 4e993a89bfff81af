package vpc

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"berth/internal/apierr"
)

func TestProtocol(t *testing.T) {
	for text, want := range map[string]string{
		"tcp": "tcp", "TCP": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6", "ICMPv6": "icmpv6", "-1": "-1", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6",
		"50": "50", "0": "0", "255": "255", "06": "tcp", "256": "", "-2": "", "all": "", "esp": "", "": "", "1e1": "", "+6": "", "６": "",
	} {
		got, ok := Protocol(text)
		if got != want || ok != (want != "") {
			t.Errorf("Protocol(%q) = %q, %v, want %q", text, got, ok, want)
		}
	}
}

func TestPorts(t *testing.T) {
	const (
		none  = -1 << 20
		pair  = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
		types = "Invalid value for portRange. Must specify both from and to ports with ICMP."
	)
	at := func(n int) *int32 {
		if n == none {
			return nil
		}
		p := int32(n)
		return &p
	}
	for _, test := range []struct {
		protocol    string
		from, to    int
		first, last int32
		wrong       string
	}{
		{"tcp", 80, 80, 80, 80, ""}, {"tcp", 0, 65535, 0, 65535, ""}, {"udp", 53, 54, 53, 54, ""},
		{"tcp", none, none, 0, 0, pair}, {"udp", 53, none, 0, 0, pair}, {"tcp", none, 53, 0, 0, pair},
		{"tcp", -1, -1, 0, 0, "TCP/UDP (from) port (-1) out of range"}, {"tcp", 65536, 65536, 0, 0, "TCP/UDP (from) port (65536) out of range"},
		{"udp", 1, 65536, 0, 0, "TCP/UDP (to) port (65536) out of range"}, {"tcp", 0, -1, 0, 0, "TCP/UDP (to) port (-1) out of range"},
		{"tcp", 80, 22, 0, 0, "Invalid TCP/UDP port range (80:22)"},
		{"icmp", -1, -1, -1, -1, ""}, {"icmp", 8, -1, 8, -1, ""}, {"icmp", 8, 0, 8, 0, ""}, {"icmp", 255, 255, 255, 255, ""},
		{"icmp", none, none, 0, 0, types}, {"icmp", 8, none, 0, 0, types}, {"icmpv6", none, none, -1, -1, ""}, {"icmpv6", none, 0, 0, 0, types},
		{"icmp", 256, 0, 0, 0, "ICMP type (256) out of range"}, {"icmp", -2, 0, 0, 0, "ICMP type (-2) out of range"},
		{"icmp", 8, 65535, 0, 0, "ICMP code (65535) out of range"}, {"icmpv6", 8, -2, 0, 0, "ICMP code (-2) out of range"},
		{"icmp", -1, 0, 0, 0, "ICMP code (0) must be -1 (all codes) where the ICMP type is -1 (all types)"},
		{"-1", 80, 80, -1, -1, ""}, {"-1", none, none, -1, -1, ""}, {"50", 1, 2, -1, -1, ""}, {"50", none, none, -1, -1, ""},
	} {
		first, last, err := Ports(test.protocol, at(test.from), at(test.to))
		if test.wrong != "" {
			if e := apierr.As(err); err == nil || e.Code != "InvalidParameterValue" || e.Message != test.wrong {
				t.Errorf("Ports(%s, %d, %d): %v, want %s", test.protocol, test.from, test.to, err, test.wrong)
			}
			continue
		}
		if err != nil || first != test.first || last != test.last {
			t.Errorf("Ports(%s, %d, %d) = %d, %d, %v, want %d, %d", test.protocol, test.from, test.to, first, last, err, test.first, test.last)
		}
	}
}

func TestRuleCIDR(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1/24": "10.0.0.0/24", "10.0.0.1/32": "10.0.0.1/32", "0.0.0.0/0": "0.0.0.0/0", "9.9.9.9/0": "0.0.0.0/0", "10.0.0.1": "", "10.0.0.0/33": "", "10.0.0.0/-1": "",
		"": "", "::/0": "", "bogus": "", "10.0.0.0/08": "", "10.0.0/8": "",
	} {
		if got, err := RuleCIDR(text, false); got != want || (err == nil) != (want != "") {
			t.Errorf("RuleCIDR(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"::/0": "::/0", "2001:DB8::1/32": "2001:db8::/32", "2001:db8::/129": "", "0.0.0.0/0": "", "::ffff:10.0.0.0/104": "", "fe80::1%eth0/64": "",
	} {
		if got, err := RuleCIDR(text, true); got != want || (err == nil) != (want != "") {
			t.Errorf("RuleCIDR(%q, v6) = %q, %v, want %q", text, got, err, want)
		}
	}
	if _, err := RuleCIDR("10.0.0.0/33", false); apierr.As(err).Message != "CIDR block 10.0.0.0/33 is malformed" {
		t.Error(err)
	}
}

func TestDescribes(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*": true, strings.Repeat("x", 255): true, strings.Repeat("x", 256): false, "it's": false, "ä": false, "a?": false,
		"a\nb": false, "a<b": false, "\xff": false,
	} {
		if got := Describes(text); got != want {
			t.Errorf("Describes(%q) = %v", text, got)
		}
	}
}

func TestRuleText(t *testing.T) {
	for want, r := range map[string]Rule{
		"peer: 0.0.0.0/0, ALL, ALLOW":                                {Protocol: "-1", FromPort: -1, ToPort: -1, CidrIPv4: "0.0.0.0/0"},
		"peer: sg-1, TCP, from port: 80, to port: 81, ALLOW":         {Protocol: "tcp", FromPort: 80, ToPort: 81, GroupID: "sg-1"},
		"peer: ::/0, UDP, from port: 53, to port: 53, ALLOW":         {Protocol: "udp", FromPort: 53, ToPort: 53, CidrIPv6: "::/0"},
		"peer: 10.0.0.0/8, ICMP, type: ALL, code: ALL, ALLOW":        {Protocol: "icmp", FromPort: -1, ToPort: -1, CidrIPv4: "10.0.0.0/8"},
		"peer: 10.0.0.0/8, ICMP, type: 8, code: 0, ALLOW":            {Protocol: "icmp", FromPort: 8, CidrIPv4: "10.0.0.0/8"},
		"peer: 2001:db8::/32, ICMPv6, type: 128, code: ALL, ALLOW":   {Protocol: "icmpv6", FromPort: 128, ToPort: -1, CidrIPv6: "2001:db8::/32"},
		"peer: 10.0.0.0/8, protocol: 50, ALLOW":                      {Protocol: "50", FromPort: -1, ToPort: -1, CidrIPv4: "10.0.0.0/8"},
		"peer: 10.0.0.0/8, TCP, from port: 0, to port: 65535, ALLOW": {Protocol: "tcp", ToPort: 65535, CidrIPv4: "10.0.0.0/8", Egress: true, Description: "not told"},
	} {
		if got := r.String(); got != want {
			t.Errorf("%+v is %q, want %q", r, got, want)
		}
	}
}

// randomRules are valid rules of few protocols, ports and peers, so that many are the same.
func randomRules(random *rand.Rand, n int) (rules []Rule) {
	for i := range n {
		r := Rule{ID: "sgr-" + strconv.Itoa(i), Egress: random.IntN(2) == 0, FromPort: -1, ToPort: -1}
		r.Protocol = []string{"tcp", "udp", "icmp", "icmpv6", "-1", "50"}[random.IntN(6)]
		if HasPorts(r.Protocol) {
			r.FromPort, r.ToPort = int32(random.IntN(2)), int32(1+random.IntN(2))
		}
		switch peer := strconv.Itoa(random.IntN(3)); random.IntN(3) {
		case 0:
			r.CidrIPv4 = "10." + peer + ".0.0/16"
		case 1:
			r.CidrIPv6 = "2001:db8:" + peer + "::/48"
		default:
			r.GroupID = "sg-" + peer
		}
		rules = append(rules, r)
	}
	return rules
}

// Two rules of one direction have one text if they are the same and only then: duplicates are found by either.
func TestSameRulesHaveOneText(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rules := randomRules(random, 30)
		for _, a := range rules {
			for _, b := range rules {
				if same := a.Egress == b.Egress && a.String() == b.String(); same != a.Same(b) {
					t.Fatalf("%+v and %+v are the same: %v, by their texts %v", a, b, a.Same(b), same)
				}
			}
		}
	}
}

// A group never has a rule twice, nor more than it may; an error leaves what was there; and answers show each rule once, those of one protocol and range together.
func TestAddRules(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	refused := map[string]int{}
	for range 300 {
		g := &SecurityGroup{}
		for range 20 {
			before, kept := g.Rules, fmt.Sprint(g.Rules)
			changed := *g
			err := changed.Add(randomRules(random, 1+random.IntN(3)))
			if fmt.Sprint(before) != kept {
				t.Fatal("Add changed the rules that were there")
			}
			if err == nil {
				g = &changed
			} else {
				refused[apierr.As(err).Code+": "+apierr.As(err).Message[:8]]++
			}
		}
		if unlike := distinct(g.Rules); unlike != len(g.Rules) || g.Full() {
			t.Fatalf("%d rules, %d different ones", len(g.Rules), unlike)
		}
		checkPermissions(t, g)
	}
	for _, code := range []string{"InvalidPermission.Duplicate: the spec", "InvalidParameterValue: The same"} {
		if refused[code] == 0 {
			t.Errorf("never %s: %v", code, refused)
		}
	}
}

func distinct(rules []Rule) int {
	texts := map[string]bool{}
	for _, r := range rules {
		texts[fmt.Sprint(r.Egress, r)] = true
	}
	return len(texts)
}

func checkPermissions(t *testing.T, g *SecurityGroup) {
	t.Helper()
	shown := 0
	for _, egress := range []bool{false, true} {
		heads := map[string]bool{}
		for _, p := range g.Permissions(egress) {
			head := fmt.Sprint(p.Protocol, " ", p.FromPort, " ", p.ToPort)
			if heads[head] || len(p.Rules) == 0 {
				t.Fatalf("%s comes twice, or without rules", head)
			}
			heads[head] = true
			for _, r := range p.Rules {
				if r.Egress != egress || r.Protocol != p.Protocol || r.FromPort != p.FromPort || r.ToPort != p.ToPort {
					t.Fatalf("%+v is in %s", r, head)
				}
			}
			shown += len(p.Rules)
		}
	}
	if shown != len(g.Rules) {
		t.Fatalf("%d rules are shown of %d", shown, len(g.Rules))
	}
}

// A group is full at 60 rules a direction, for IPv4 and IPv6 each; a rule with a group counts for both.
func TestFullGroup(t *testing.T) {
	many := func(n int, make func(i int) Rule) (rules []Rule) {
		for i := range n {
			r := make(i)
			r.Protocol, r.FromPort, r.ToPort = "tcp", int32(i), int32(i)
			rules = append(rules, r)
		}
		return rules
	}
	v4 := func(int) Rule { return Rule{CidrIPv4: "10.0.0.0/8"} }
	v6 := func(int) Rule { return Rule{CidrIPv6: "::/0"} }
	out := func(int) Rule { return Rule{CidrIPv4: "10.0.0.0/8", Egress: true} }
	groups := func(int) Rule { return Rule{GroupID: "sg-1"} }
	g := &SecurityGroup{}
	for _, rules := range [][]Rule{many(60, v4), many(59, v6), many(60, out)} {
		if err := g.Add(rules); err != nil {
			t.Fatal(err)
		}
	}
	for name, rules := range map[string][]Rule{"IPv4": many(61, v4)[60:], "IPv6": many(61, v6)[59:], "egress": many(61, out)[60:], "a group": many(1, groups)} {
		full := *g
		if err := full.Add(rules); err == nil || apierr.As(err).Code != "RulesPerSecurityGroupLimitExceeded" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.Add(many(60, v6)[59:]); err != nil {
		t.Error("the 60th for IPv6:", err)
	}
	for _, full := range [][]Rule{many(60, v4), many(60, v6)} {
		one := &SecurityGroup{Rules: full}
		if err := one.Add(many(1, groups)); err == nil {
			t.Errorf("a rule with a group beside 60 as %v", full[0])
		}
	}
}
