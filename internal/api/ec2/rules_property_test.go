package ec2

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"berth/internal/vpc"
)

// randomPermission adds a permission with one peer to a request, spelled in any way that EC2 takes, and returns its rule.
func randomPermission(random *rand.Rand, q url.Values, n int, groups []string) vpc.Rule {
	at := fmt.Sprintf("IpPermissions.%d.", n)
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	protocol := pick("tcp", "udp", "icmp", "icmpv6", "-1", "50")
	spelled := map[string]string{"tcp": pick("tcp", "TCP", "6"), "udp": pick("udp", "17"), "icmp": pick("icmp", "1"), "icmpv6": pick("icmpv6", "58")}[protocol]
	if spelled == "" {
		spelled = protocol
	}
	q.Set(at+"IpProtocol", spelled)
	r := vpc.Rule{Protocol: protocol, FromPort: int32(random.IntN(3)), ToPort: int32(3 + random.IntN(2))}
	q.Set(at+"FromPort", strconv.Itoa(int(r.FromPort)))
	q.Set(at+"ToPort", strconv.Itoa(int(r.ToPort)))
	if !vpc.HasPorts(protocol) {
		r.FromPort, r.ToPort = -1, -1
	}
	net := strconv.Itoa(1 + random.IntN(3))
	switch random.IntN(3) {
	case 0:
		r.CidrIPv4 = "10." + net + ".0.0/16"
		q.Set(at+"IpRanges.1.CidrIp", "10."+net+"."+strconv.Itoa(random.IntN(256))+".1/16")
	case 1:
		r.CidrIPv6 = "2001:db8:" + net + "::/48"
		q.Set(at+"Ipv6Ranges.1.CidrIpv6", "2001:DB8:"+net+"::"+strconv.Itoa(random.IntN(9))+"/48")
	default:
		r.GroupID = groups[random.IntN(len(groups))]
		q.Set(at+"Groups.1.GroupId", r.GroupID)
	}
	return r
}

// Whatever rules a request gives a group, in whatever spelling: the group has exactly the rules that it had and those of the requests that were taken; a request
// with a rule that is there or comes twice changes nothing; and the same request takes them away again.
func TestRulesComeAndGo(t *testing.T) {
	a := newAccount(t)
	a.groups(t)
	group := a.known(t, "sg-#3")
	a.must(t, "CreateSecurityGroup GroupName=d GroupDescription=d VpcId=vpc-#2")
	groups := []string{group, a.known(t, "sg-#4")}
	random := rand.New(rand.NewPCG(5, 6))
	has := map[string]bool{}
	var taken []url.Values // requests whose rules are there
	var keys [][]string    // those rules
	refusals, revocations := 0, 0
	for range 400 {
		if len(taken) > 0 && random.IntN(3) == 0 {
			n := random.IntN(len(taken))
			if _, err := a.ask(t, "RevokeSecurityGroupIngress", taken[n]); err != nil {
				t.Fatal(taken[n], err)
			}
			for _, k := range keys[n] {
				delete(has, k)
			}
			taken, keys = append(taken[:n:n], taken[n+1:]...), append(keys[:n:n], keys[n+1:]...)
			revocations++
		} else {
			q, new, fits := url.Values{"GroupId": {group}}, []string{}, true
			for n := range 1 + random.IntN(3) {
				k := randomPermission(random, q, n+1, groups).String()
				fits = fits && !has[k] && !strings.Contains(strings.Join(new, "\n")+"\n", k+"\n")
				new = append(new, k)
			}
			_, err := a.ask(t, "AuthorizeSecurityGroupIngress", q)
			if full := err != nil && err.Code == "RulesPerSecurityGroupLimitExceeded"; !full && (err == nil) != fits {
				t.Fatalf("%v: %v, fits: %v", q, err, fits)
			}
			if err != nil {
				refusals++
			} else {
				taken, keys = append(taken, q), append(keys, new)
				for _, k := range new {
					has[k] = true
				}
			}
		}
		compareRules(t, a, group, has)
	}
	if refusals < 20 || revocations < 20 {
		t.Errorf("%d requests were refused, %d rules taken away: the test tells nothing", refusals, revocations)
	}
}

func compareRules(t *testing.T, a *account, group string, want map[string]bool) {
	t.Helper()
	g, err := findGroup(a.store.View().Tables, testScope, group)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range g.Rules {
		if r.Egress {
			continue
		}
		if n++; !want[r.String()] {
			t.Fatalf("the group has %s", r)
		}
	}
	if n != len(want) {
		t.Fatalf("the group has %d rules, want %d", n, len(want))
	}
}
