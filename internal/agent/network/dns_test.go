package network

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"berth/internal/acsproto"
)

// ask asks the VPC's DNS from a task.
func (k task) ask(t testing.TB, network, name string, kind uint16, wait time.Duration) string {
	t.Helper()
	return ask(t, k, "10.0.0.2:53", network, name, kind, wait)
}

func ask(t testing.TB, k task, at, network, name string, kind uint16, wait time.Duration) string {
	t.Helper()
	var conn net.Conn
	if err := runIn(k.ns, func() (err error) { conn, err = net.DialTimeout(network, at, wait); return err }); err != nil {
		return "no connection"
	}
	defer conn.Close()
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	reply, _, err := (&dns.Client{Timeout: wait}).ExchangeWithConn(q, &dns.Conn{Conn: conn})
	if err != nil {
		return "no answer"
	}
	words := []string{dns.RcodeToString[reply.Rcode]}
	for _, a := range reply.Answer {
		words = append(words, fmt.Sprint(strings.Fields(a.String())[4]))
	}
	return strings.Join(words, " ")
}

// resolver answers on the internet: A for names in example.com, as many as the name's first label says.
func (s site) resolver(t testing.TB) netip.AddrPort {
	t.Helper()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		r := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		n := 1
		_, _ = fmt.Sscanf(name, "many%d.", &n)
		switch {
		case strings.HasPrefix(name, "none."):
			r.Rcode = dns.RcodeNameError
		case strings.HasPrefix(name, "broken."):
			r.Rcode = dns.RcodeServerFailure
		default:
			for range n {
				r.Answer = append(r.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(203, 0, 113, 5)})
			}
		}
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			r.Truncate(dns.MinMsgSize)
		}
		_ = w.WriteMsg(r)
	})
	at := hostAddress + ":53"
	servers := []*dns.Server{{Handler: handler}, {Handler: handler}}
	must(t, runIn(s.internet.ns, func() (err error) {
		if servers[0].PacketConn, err = net.ListenPacket("udp4", at); err != nil {
			return err
		}
		servers[1].Listener, err = net.Listen("tcp4", at)
		return err
	}))
	var done, up sync.WaitGroup
	up.Add(len(servers))
	for _, server := range servers {
		server.NotifyStartedFunc = up.Done
		done.Go(func() { _ = server.ActivateAndServe() })
	}
	up.Wait()
	t.Cleanup(func() {
		for _, server := range servers {
			_ = server.Shutdown()
		}
		done.Wait()
	})
	return netip.MustParseAddrPort(at)
}

func TestDNS(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	silent := netip.MustParseAddrPort(internetAddress + ":5353") // refuses
	k := s.keeper(t, Config{Resolvers: []netip.AddrPort{silent, s.resolver(t)}})
	w := newWorld()
	w.group("sg-none", nil, nil)
	w.nic("eni-a", "10.0.1.10", "sg-none")
	w.nic("eni-b", "10.0.1.11", "sg-open")
	b := w.Interfaces["eni-b"]
	b.Name, b.Local, b.Host = "ip-10-0-1-11.eu-west-1.compute.internal", false, "192.0.2.200"
	w.Interfaces["eni-b"] = b
	apply(t, k, w)
	a := attach(t, k, "eni-a")
	for _, c := range []struct {
		name string
		kind uint16
		want string
	}{
		{"ip-10-0-1-10.ec2.internal", dns.TypeA, "NOERROR 10.0.1.10"},
		{"IP-10-0-1-11.EU-west-1.compute.internal", dns.TypeA, "NOERROR 10.0.1.11"},
		{"ip-10-0-1-10.ec2.internal", dns.TypeAAAA, "NOERROR"},
		{"ip-10-0-1-99.ec2.internal", dns.TypeA, "NXDOMAIN"},
		{"ip-10-0-1-99.eu-west-1.compute.internal", dns.TypeA, "NXDOMAIN"},
		{"11.1.0.10.in-addr.arpa", dns.TypePTR, "NOERROR ip-10-0-1-11.eu-west-1.compute.internal."},
		{"10.1.0.10.in-addr.arpa", dns.TypePTR, "NOERROR ip-10-0-1-10.ec2.internal."},
		{"99.1.0.10.in-addr.arpa", dns.TypePTR, "NXDOMAIN"},
		{"www.example.com", dns.TypeA, "NOERROR 203.0.113.5"},
		{"none.example.com", dns.TypeA, "NXDOMAIN"},
		{"broken.example.com", dns.TypeA, "SERVFAIL"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := a.ask(t, network, c.name, c.kind, patience); got != c.want {
				t.Errorf("%s %s over %s: %s, want %s", dns.TypeToString[c.kind], c.name, network, got, c.want)
			}
		}
	}
	if got := a.ask(t, "tcp", "many100.example.com", dns.TypeA, patience); strings.Count(got, "203.0.113.5") != 100 {
		t.Errorf("a long answer over TCP: %s", got)
	}
	if got := a.ask(t, "udp", "many100.example.com", dns.TypeA, patience); strings.Count(got, "203.0.113.5") >= 100 {
		t.Errorf("a long answer over UDP: %s", got)
	}
	delete(w.Interfaces, "eni-b")
	apply(t, k, w)
	if got := a.ask(t, "udp", "ip-10-0-1-11.eu-west-1.compute.internal", dns.TypeA, patience); got != "NXDOMAIN" {
		t.Errorf("an interface that is gone: %s", got)
	}
	v := w.VPCs["vpc-1"]
	v.DNS = false
	w.VPCs["vpc-1"] = v
	apply(t, k, w)
	if got := a.ask(t, "udp", "ip-10-0-1-10.ec2.internal", dns.TypeA, silence); got != "no answer" {
		t.Errorf("without enableDnsSupport: %s", got)
	}
}

// TestDNSOfWrongQuestions answers what is no question as DNS does, and never falls over it.
func TestDNSOfWrongQuestions(t *testing.T) {
	t.Parallel()
	a := &answers{}
	z := makeZone(nil, nil)
	a.zone.Store(&z)
	pack := func(change func(*dns.Msg)) []byte {
		q := new(dns.Msg).SetQuestion("a.ec2.internal.", dns.TypeA)
		change(q)
		b, err := q.Pack()
		must(t, err)
		return b
	}
	for name, c := range map[string]struct {
		data []byte
		want int
	}{
		"nothing":       {nil, -1},
		"short":         {make([]byte, 5), -1},
		"a response":    {pack(func(q *dns.Msg) { q.Response = true }), -1},
		"cut":           {pack(func(*dns.Msg) {})[:20], dns.RcodeFormatError},
		"two questions": {pack(func(q *dns.Msg) { q.Question = append(q.Question, q.Question[0]) }), dns.RcodeFormatError},
		"an update":     {pack(func(q *dns.Msg) { q.Opcode = dns.OpcodeUpdate }), dns.RcodeNotImplemented},
		"chaos":         {pack(func(q *dns.Msg) { q.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
	} {
		_, reply := a.read(c.data)
		if got := code(reply); got != c.want {
			t.Errorf("%s: code %d, want %d", name, got, c.want)
		}
	}
}

func code(m *dns.Msg) int {
	if m == nil {
		return -1
	}
	return m.Rcode
}

func FuzzDNS(f *testing.F) {
	q, err := new(dns.Msg).SetQuestion("10.1.0.10.in-addr.arpa.", dns.TypePTR).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q)
	a := &answers{}
	z := makeZone([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, []nic{{address: netip.MustParseAddr("10.0.1.10")}})
	a.zone.Store(&z)
	f.Fuzz(func(t *testing.T, data []byte) {
		if question, reply := a.read(data); reply != nil {
			if question != nil && reply.Id != question.Id {
				t.Fatal("an answer to another question")
			}
			if _, err := reply.Pack(); err != nil && question == nil {
				t.Fatal(err)
			}
		}
	})
}

func TestListen(t *testing.T) {
	t.Parallel()
	k := newKeeper(t, Config{})
	at := netip.MustParseAddrPort("169.254.170.2:80")
	if _, err := k.Listen("vpc-1", at); err == nil {
		t.Error("listens in a VPC that is not here")
	}
	w := newWorld()
	w.vpc("vpc-2")
	w.nic("eni-a", "10.0.1.10", "sg-none")
	w.Interfaces["eni-b"] = acsproto.NetworkInterface{ID: "eni-b", VPC: "vpc-2", Subnet: "subnet-a", Address: "10.0.1.10", MAC: "02:00:00:00:00:01", Local: true}
	apply(t, k, w)
	a, b := attach(t, k, "eni-a"), attach(t, k, "eni-b")
	for vpc, x := range map[string]task{"vpc-1": a, "vpc-2": b} {
		l, err := k.Listen(vpc, at)
		must(t, err)
		if _, err := k.Listen(vpc, at); err == nil {
			t.Error("one port is opened twice")
		}
		seen := make(chan string, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				seen <- err.Error()
				return
			}
			fmt.Fprintf(c, "%s\n", vpc)
			seen <- c.RemoteAddr().String()
			c.Close()
		}()
		if got := x.reaches(t, at.String()); got != vpc {
			t.Errorf("reached %q, want %s", got, vpc)
		}
		if from := <-seen; !strings.HasPrefix(from, "10.0.1.10:") {
			t.Errorf("%s came from %s", vpc, from)
		}
		if vpc == "vpc-2" {
			must(t, l.Close())
			continue
		}
		delete(w.Interfaces, "eni-a")
		apply(t, k, w)
		if _, err := l.Accept(); err == nil {
			t.Error("a port outlived its VPC")
		}
	}
}
