package network

import (
	"testing"

	"berth/internal/acsproto"
)

func tcp(port int32, cidr string) []acsproto.SecurityRule {
	return []acsproto.SecurityRule{{Protocol: "tcp", From: port, To: port, CIDR: cidr}}
}

func fromGroup(port int32, group string) []acsproto.SecurityRule {
	return []acsproto.SecurityRule{{Protocol: "tcp", From: port, To: port, Group: group}}
}

func TestRulesOfBothDirections(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-web", append(tcp(80, "10.0.1.0/24"), acsproto.SecurityRule{Protocol: "tcp", From: 8000, To: 8010, CIDR: "0.0.0.0/0"}), nil)
	w.group("sg-client", nil, []acsproto.SecurityRule{{Protocol: "tcp", From: 80, To: 8005, CIDR: "10.0.0.0/16"}})
	w.nic("eni-web", "10.0.1.10", "sg-web")
	w.nic("eni-client", "10.0.1.11", "sg-client")
	w.nic("eni-far", "10.0.2.11", "sg-client")
	apply(t, k, w)
	web, client, far := attach(t, k, "eni-web"), attach(t, k, "eni-client"), attach(t, k, "eni-far")
	for _, port := range []int{80, 81, 8000, 8005, 8006, 8010} {
		web.serveTCP(t, port)
	}
	client.serveTCP(t, 80)
	web.serveUDP(t, 80)
	client.reaches(t, "10.0.1.10:80")
	client.blocked(t, "10.0.1.10:81") // egress only
	client.reaches(t, "10.0.1.10:8000")
	client.reaches(t, "10.0.1.10:8005")
	client.blocked(t, "10.0.1.10:8006") // ingress only
	client.blocked(t, "10.0.1.10:8010")
	far.blocked(t, "10.0.1.10:80") // not from its subnet
	far.reaches(t, "10.0.1.10:8000")
	web.blocked(t, "10.0.1.11:80") // answers go out, nothing of its own
	if client.asks(t, "10.0.1.10:80", silence) {
		t.Error("UDP passes a rule for TCP")
	}
	if client.pings(t, "10.0.1.10", silence) {
		t.Error("ICMP passes rules for TCP")
	}
}

func TestGroupReferences(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-db", fromGroup(5432, "sg-app"), nil)
	w.group("sg-app", nil, fromGroup(5432, "sg-db"))
	w.group("sg-self", fromGroup(7000, "sg-self"), everything)
	w.nic("eni-db", "10.0.1.10", "sg-db", "sg-self")
	w.nic("eni-app", "10.0.2.11", "sg-app")
	w.nic("eni-peer", "10.0.2.12", "sg-self")
	w.nic("eni-open", "10.0.2.13", "sg-open")
	apply(t, k, w)
	db, app, peer, open := attach(t, k, "eni-db"), attach(t, k, "eni-app"), attach(t, k, "eni-peer"), attach(t, k, "eni-open")
	db.serveTCP(t, 5432)
	db.serveTCP(t, 7000)
	open.serveTCP(t, 5432)
	app.reaches(t, "10.0.1.10:5432")
	app.blocked(t, "10.0.1.10:7000")
	app.blocked(t, "10.0.2.13:5432") // its egress is to members of sg-db
	peer.reaches(t, "10.0.1.10:7000")
	peer.blocked(t, "10.0.1.10:5432")
	open.blocked(t, "10.0.1.10:5432")

	w.nic("eni-open", "10.0.2.13", "sg-open", "sg-app") // joins
	w.nic("eni-app", "10.0.2.11", "sg-open")            // leaves
	apply(t, k, w)
	open.reaches(t, "10.0.1.10:5432")
	app.blocked(t, "10.0.1.10:5432")
}

func TestLiveRules(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-web", nil, nil)
	w.nic("eni-web", "10.0.1.10", "sg-web")
	w.nic("eni-client", "10.0.1.11", "sg-open")
	apply(t, k, w)
	web, client := attach(t, k, "eni-web"), attach(t, k, "eni-client")
	web.serveTCP(t, 80)
	web.serveUDP(t, 53)
	client.blocked(t, "10.0.1.10:80")
	w.group("sg-web", tcp(80, "10.0.1.11/32"), nil)
	apply(t, k, w)
	client.reaches(t, "10.0.1.10:80")
	tracked, _, err := dial(client.ns, "10.0.1.10:80", patience)
	if err != nil {
		t.Fatal(err)
	}
	defer tracked.Close()
	w.group("sg-web", []acsproto.SecurityRule{{Protocol: "17", From: 53, To: 53, CIDR: "10.0.0.0/16"}, {Protocol: "icmp", From: 8, To: -1, CIDR: "0.0.0.0/0"}}, nil)
	apply(t, k, w)
	client.blocked(t, "10.0.1.10:80")
	if !alive(tracked, patience) {
		t.Error("a tracked connection ended with its rule")
	}
	if !client.asks(t, "10.0.1.10:53", patience) || !client.pings(t, "10.0.1.10", patience) {
		t.Error("the new rules do not hold")
	}
	w.group("sg-web", []acsproto.SecurityRule{{Protocol: "icmp", From: 13, To: 0, CIDR: "0.0.0.0/0"}}, nil) // of another type
	apply(t, k, w)
	if client.pings(t, "10.0.1.10", silence) {
		t.Error("an echo passes a rule for timestamps")
	}
}

// TestUntrackedConnectionsEnd is what AWS does when a rule for all addresses goes, where all may go out again: such connections are not tracked.
func TestUntrackedConnectionsEnd(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	w := newWorld()
	w.group("sg-web", append(append(tcp(80, "0.0.0.0/0"), tcp(82, "0.0.0.0/0")...), tcp(81, "10.0.0.0/8")...), everything)
	w.group("sg-shy", tcp(80, "0.0.0.0/0"), nil) // answers need tracking
	w.nic("eni-web", "10.0.1.10", "sg-web")
	w.nic("eni-shy", "10.0.1.12", "sg-shy")
	w.nic("eni-client", "10.0.1.11", "sg-open")
	apply(t, k, w)
	web, shy, client := attach(t, k, "eni-web"), attach(t, k, "eni-shy"), attach(t, k, "eni-client")
	web.serveTCP(t, 80)
	web.serveTCP(t, 81)
	shy.serveTCP(t, 80)
	web.serveTicks(t, 82)
	ticks, _, err := dial(client.ns, "10.0.1.10:82", patience)
	must(t, err)
	defer ticks.Close()
	open := func(at string) interface {
		check(t *testing.T, want bool, why string)
	} {
		c, _, err := dial(client.ns, at, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return connection2{c}
	}
	untracked, narrow, tracked := open("10.0.1.10:80"), open("10.0.1.10:81"), open("10.0.1.12:80")
	w.group("sg-web", nil, everything)
	w.group("sg-shy", nil, nil)
	apply(t, k, w)
	// Not even what the server sends brings it back: it is not heard, and not answered.
	if !stops(ticks) {
		t.Error("an untracked connection goes on as long as its server sends")
	}
	untracked.check(t, false, "a connection of a rule for all addresses, with all allowed out")
	narrow.check(t, true, "a connection of a rule for some addresses")
	tracked.check(t, true, "a connection of a rule for all addresses, with nothing allowed out")
}
