package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/semaphore"
)

// Limits of a VPC's DNS. A question beyond them is answered SERVFAIL, or waits in the socket's own buffer.
const (
	questionsAhead = 256             // at other resolvers, at once
	connections53  = 64              // TCP
	idleTime       = 5 * time.Second // of a TCP connection
	resolverTime   = 2 * time.Second // for each resolver's answer
	internalTTL    = 60              // seconds
	udpBytes       = 4096
)

// answers is the DNS of one VPC.
type answers struct {
	at      netip.Addr
	zone    atomic.Pointer[zone]
	forward func(ctx context.Context, question *dns.Msg, network string) (*dns.Msg, error)
	ahead   *semaphore.Weighted
	streams *semaphore.Weighted
	packets net.PacketConn
	conns   net.Listener
	stop    context.CancelFunc
	work    owned
}

// answer opens a VPC's DNS in its namespace. What it does not know, it asks in the machine's.
func (m *machine) answer(s *space, p plan) (*answers, error) {
	a := &answers{at: p.dns, forward: m.ask, ahead: semaphore.NewWeighted(questionsAhead), streams: semaphore.NewWeighted(connections53)}
	a.zone.Store(&p.zone)
	at := netip.AddrPortFrom(p.dns, 53).String()
	err := s.run(func() (err error) {
		var c net.ListenConfig
		if a.packets, err = c.ListenPacket(context.Background(), "udp4", at); err != nil {
			return err
		}
		if a.conns, err = c.Listen(context.Background(), "tcp4", at); err != nil {
			return errors.Join(err, a.packets.Close())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the VPC's DNS: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.work.run(func() error { return a.servePackets(ctx) })
	a.work.run(func() error { return a.serveConns(ctx) })
	return a, nil
}

// close waits until no question is under way.
func (a *answers) close() error {
	a.stop()
	err := errors.Join(a.packets.Close(), a.conns.Close())
	return errors.Join(err, a.work.wait())
}

func (a *answers) servePackets(ctx context.Context) error {
	buffer := make([]byte, udpBytes)
	for {
		n, from, err := a.packets.ReadFrom(buffer)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // of one packet: an ICMP error, or a full queue
		}
		question, reply := a.read(buffer[:n])
		if question == nil && reply == nil {
			continue
		}
		send := func(reply *dns.Msg) {
			size := dns.MinMsgSize
			if e := question.IsEdns0(); e != nil {
				size = min(max(size, int(e.UDPSize())), udpBytes)
			}
			reply.Truncate(size)
			if data, err := reply.Pack(); err == nil {
				_, _ = a.packets.WriteTo(data, from) // who asked asks again
			}
		}
		if reply != nil {
			if question == nil {
				question = reply
			}
			send(reply)
			continue
		}
		if !a.ahead.TryAcquire(1) {
			send(refuse(question, dns.RcodeServerFailure))
			continue
		}
		a.work.run(func() error {
			defer a.ahead.Release(1)
			send(a.askAhead(ctx, question, "udp"))
			return nil
		})
	}
}

func (a *answers) serveConns(ctx context.Context) error {
	for {
		if err := a.streams.Acquire(ctx, 1); err != nil {
			return nil
		}
		conn, err := a.conns.Accept()
		if err != nil {
			a.streams.Release(1)
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			continue
		}
		a.work.run(func() error {
			defer a.streams.Release(1)
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			defer conn.Close()
			a.serveConn(ctx, &dns.Conn{Conn: conn})
			return nil
		})
	}
}

// serveConn answers a connection's questions, one after another.
func (a *answers) serveConn(ctx context.Context, conn *dns.Conn) {
	for {
		if err := conn.SetDeadline(time.Now().Add(idleTime)); err != nil {
			return
		}
		data, err := conn.ReadMsgHeader(nil)
		if err != nil {
			return
		}
		question, reply := a.read(data)
		if question == nil && reply == nil {
			return
		}
		if reply == nil {
			reply = a.askAhead(ctx, question, "tcp")
		}
		if err := conn.SetDeadline(time.Now().Add(idleTime)); err != nil {
			return
		}
		if err := conn.WriteMsg(reply); err != nil {
			return
		}
	}
}

// read reads a question and answers it, if it can without asking others. Both are nil for what is no question at all.
func (a *answers) read(data []byte) (question, reply *dns.Msg) {
	q := new(dns.Msg)
	err := q.Unpack(data)
	switch {
	case err != nil && len(data) < 12, q.Response:
		return nil, nil
	case err != nil:
		return nil, refuse(&dns.Msg{MsgHdr: q.MsgHdr}, dns.RcodeFormatError)
	case q.Opcode != dns.OpcodeQuery:
		return q, refuse(q, dns.RcodeNotImplemented)
	case len(q.Question) != 1:
		return q, refuse(q, dns.RcodeFormatError)
	case q.Question[0].Qclass != dns.ClassINET:
		return q, refuse(q, dns.RcodeRefused)
	}
	return q, a.zone.Load().answer(q)
}

func refuse(question *dns.Msg, code int) *dns.Msg {
	r := new(dns.Msg)
	r.SetRcode(question, code)
	r.RecursionAvailable = true
	return r
}

// answer answers for the VPC's own names and addresses. nil is for others to answer.
func (z *zone) answer(q *dns.Msg) *dns.Msg {
	asked := q.Question[0]
	name := strings.ToLower(asked.Name)
	header := func(kind uint16) dns.RR_Header {
		return dns.RR_Header{Name: asked.Name, Rrtype: kind, Class: dns.ClassINET, Ttl: internalTTL}
	}
	if address, ok := reverse(name); ok && z.contains(address) {
		name, known := z.names[address]
		if !known {
			return refuse(q, dns.RcodeNameError)
		}
		r := refuse(q, dns.RcodeSuccess)
		if asked.Qtype == dns.TypePTR || asked.Qtype == dns.TypeANY {
			r.Answer = append(r.Answer, &dns.PTR{Hdr: header(dns.TypePTR), Ptr: name})
		}
		return r
	}
	if !z.knows(name) {
		return nil
	}
	address, ok := z.addresses[name]
	if !ok {
		return refuse(q, dns.RcodeNameError)
	}
	r := refuse(q, dns.RcodeSuccess)
	if asked.Qtype == dns.TypeA || asked.Qtype == dns.TypeANY {
		r.Answer = append(r.Answer, &dns.A{Hdr: header(dns.TypeA), A: address.AsSlice()})
	}
	return r
}

// askAhead asks other resolvers.
func (a *answers) askAhead(ctx context.Context, question *dns.Msg, network string) *dns.Msg {
	reply, err := a.forward(ctx, question, network)
	if err != nil {
		return refuse(question, dns.RcodeServerFailure)
	}
	return reply
}

// ask asks the machine's resolvers, one after another, in the way that it was asked itself.
func (m *machine) ask(ctx context.Context, question *dns.Msg, network string) (*dns.Msg, error) {
	resolvers, err := m.resolvers()
	if err != nil {
		return nil, err
	}
	q := question.Copy()
	var failed []error
	for _, r := range resolvers {
		q.Id = dns.Id() // not the task's, which its neighbour may guess
		reply, err := m.askOne(ctx, q, network, r)
		if err == nil && reply.Rcode != dns.RcodeServerFailure && reply.Rcode != dns.RcodeRefused {
			reply.Id = question.Id
			return reply, nil
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("no resolver answers: %w", errors.Join(failed...))
}

func (m *machine) askOne(ctx context.Context, q *dns.Msg, network string, at netip.AddrPort) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, resolverTime)
	defer cancel()
	var conn net.Conn
	err := m.space.run(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, at.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	reply, _, err := new(dns.Client).ExchangeWithConnContext(ctx, q, &dns.Conn{Conn: conn, UDPSize: udpBytes})
	return reply, err
}

// resolvers are those of the configuration, or of the machine's resolv.conf as it is now.
func (m *machine) resolvers() ([]netip.AddrPort, error) {
	if len(m.configured) > 0 {
		return m.configured, nil
	}
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil, fmt.Errorf("look for the machine's resolvers: %w", err)
	}
	var list []netip.AddrPort
	for _, s := range c.Servers {
		if a, err := netip.ParseAddr(s); err == nil {
			list = append(list, netip.AddrPortFrom(a, 53))
		}
	}
	return list, nil
}
