// Package pipenet is a network in memory for tests: a listener and a dialer that are joined by buffered connections, with deadlines,
// half-close, latency and cuts.
//
// It has no goroutines and no real sockets, so that servers and clients on it run inside testing/synctest. A network that is used inside
// a bubble is made there too:
//
//	nw := pipenet.New()
//	go server.Serve(nw)
//	client := &http.Client{Transport: &http.Transport{DialContext: nw.Dial}}
package pipenet

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// Network is one listener and everybody who dials it. It implements net.Listener.
type Network struct {
	arrivals chan *Conn // handed from Dial to Accept

	mu      sync.Mutex
	done    chan struct{} // closed by Close
	latency time.Duration
	conns   map[*Conn]bool // the dialers' ends of what is neither closed nor cut
	dialed  int
}

var _ net.Listener = (*Network)(nil)

// New makes a network that listens.
func New() *Network {
	return &Network{arrivals: make(chan *Conn), done: make(chan struct{}), conns: map[*Conn]bool{}}
}

// Accept waits for the next dialer. After Close its error is net.ErrClosed.
func (n *Network) Accept() (net.Conn, error) {
	done := n.open()
	select {
	case <-done: // first, as select would choose at random
		return nil, n.failed("accept", net.ErrClosed)
	default:
	}
	select {
	case c := <-n.arrivals:
		return c, nil
	case <-done:
		return nil, n.failed("accept", net.ErrClosed)
	}
}

// Close stops listening: from then on dialing is refused. Connections live on. It never fails.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.done:
	default:
		close(n.done)
	}
	return nil
}

// Reopen listens again after Close, as a server does that was started anew.
func (n *Network) Reopen() {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.done:
		n.done = make(chan struct{})
	default:
	}
}

// Addr is where the network seems to listen.
func (n *Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// Dial connects to whoever accepts, whatever network and address are; http.Transport takes it as its DialContext. It costs two latencies,
// waits for Accept, and is refused with ECONNREFUSED where nobody listens.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := pause(ctx, 2*n.delay()); err != nil {
		return nil, n.failed("dial", err)
	}
	done := n.open()
	select {
	case <-done:
		return nil, n.failed("dial", syscall.ECONNREFUSED)
	default:
	}
	near, far := n.pair()
	select {
	case n.arrivals <- far:
		return near, nil
	case <-done:
		n.forget(near)
		return nil, n.failed("dial", syscall.ECONNREFUSED)
	case <-ctx.Done():
		n.forget(near)
		return nil, n.failed("dial", ctx.Err())
	}
}

// SetLatency says how long every byte, and every end of a stream, that is written from now on takes to arrive. It starts at 0.
func (n *Network) SetLatency(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latency = d
}

// Cut cuts every connection that there is (Conn.Cut) and returns how many. New ones can be made.
func (n *Network) Cut() int {
	n.mu.Lock()
	var cut []*Conn
	for c := range n.conns {
		cut = append(cut, c)
	}
	n.mu.Unlock()
	for _, c := range cut {
		c.Cut()
	}
	return len(cut)
}

// pair makes a connection's two ends and remembers the dialer's.
func (n *Network) pair() (near, far *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed++
	there, back := newStream(n.delay), newStream(n.delay)
	dialer := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1024 + n.dialed%64000}
	near = &Conn{in: back, out: there, local: dialer, remote: n.Addr()}
	far = &Conn{in: there, out: back, local: n.Addr(), remote: dialer}
	near.gone = func() { n.forget(near) }
	far.gone = near.gone
	n.conns[near] = true
	return near, far
}

func (n *Network) forget(c *Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

func (n *Network) open() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.done
}

func (n *Network) delay() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.latency
}

func (n *Network) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: "pipe", Addr: n.Addr(), Err: err}
}

// pause waits for d or for ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
