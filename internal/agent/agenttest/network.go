package agenttest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"

	"berth/internal/agent"
	"berth/internal/pipenet"
)

// Network is the machine's part of VPCs in memory. It moves no packets, but that tasks reach what listens in their VPC. It lives on when the agent is made
// anew.
type Network struct {
	Cut  func(op string) // as the engine's
	Fail error           // of every Apply while it is set; set it with SetFail

	mu       sync.Mutex
	state    agent.NetworkState
	attached map[string]int // interface -> pid
	ports    map[port]*networkListener
	changed  chan struct{} // closed by the next Apply
}

type port struct {
	vpc string
	at  netip.AddrPort
}

var _ agent.Network = (*Network)(nil)

// SetFail makes every Apply fail, or none.
func (n *Network) SetFail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Fail = err
}

// Attached are the processes that have an interface: interface -> pid.
func (n *Network) Attached() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.attached)
}

// State is what was applied last.
func (n *Network) State() agent.NetworkState {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Apply implements agent.Network.
func (n *Network) Apply(ctx context.Context, w agent.NetworkState) error {
	n.cut("apply network")
	if err := ctx.Err(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Fail != nil {
		return n.Fail
	}
	n.state = w
	for id := range n.attached {
		if !w.Interfaces[id].Local {
			delete(n.attached, id)
		}
	}
	for p, l := range n.ports {
		if !n.here(p.vpc) {
			l.end()
			delete(n.ports, p)
		}
	}
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
	return nil
}

// here tells whether the machine has an interface of a VPC. n.mu is held.
func (n *Network) here(vpc string) bool {
	if _, known := n.state.VPCs[vpc]; !known {
		return false
	}
	for _, i := range n.state.Interfaces {
		if i.Local && i.VPC == vpc {
			return true
		}
	}
	return false
}

// Attach implements agent.Network.
func (n *Network) Attach(ctx context.Context, id string, pid int) error {
	n.cut("attach " + id)
	for {
		done, changed := n.attach(id, pid)
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("attach %s: it is not in the applied state: %w", id, ctx.Err())
		}
	}
}

// attach attaches an interface that is in the state, or returns what is closed when that may have changed.
func (n *Network) attach(id string, pid int) (bool, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := n.state.Interfaces[id]; i.Local && n.here(i.VPC) {
		if n.attached == nil {
			n.attached = map[string]int{}
		}
		n.attached[id] = pid
		return true, nil
	}
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return false, n.changed
}

// Detach implements agent.Network.
func (n *Network) Detach(ctx context.Context, id string) error {
	n.cut("detach " + id)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.attached, id)
	return ctx.Err()
}

// Listen implements agent.Network.
func (n *Network) Listen(vpc string, at netip.AddrPort) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.here(vpc) {
		return nil, fmt.Errorf("listen in %s: the machine has no interface of it", vpc)
	}
	p := port{vpc, at}
	if n.ports[p] != nil {
		return nil, fmt.Errorf("listen in %s: %s is in use", vpc, at)
	}
	l := &networkListener{at: at, calls: make(chan call), done: make(chan struct{})}
	l.forget = func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.ports[p] == l {
			delete(n.ports, p)
		}
	}
	if n.ports == nil {
		n.ports = map[port]*networkListener{}
	}
	n.ports[p] = l
	return l, nil
}

// Dial connects a process that has an interface to what listens in its VPC.
func (n *Network) Dial(ctx context.Context, pid int, at netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	var l *networkListener
	var from netip.Addr
	for id, p := range n.attached {
		if i := n.state.Interfaces[id]; p == pid {
			l = n.ports[port{i.VPC, at}]
			from, _ = netip.ParseAddr(i.Address)
		}
	}
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("dial %s from process %d: nobody listens there", at, pid)
	}
	return l.dial(ctx, from)
}

func (n *Network) cut(op string) {
	if n.Cut != nil {
		n.Cut(op)
	}
}

// networkListener is a port in a VPC.
type networkListener struct {
	at     netip.AddrPort
	calls  chan call
	done   chan struct{}
	once   sync.Once
	forget func()
}

// call is a network for one connection, and who calls.
type call struct {
	net  *pipenet.Network
	from netip.Addr
}

func (l *networkListener) dial(ctx context.Context, from netip.Addr) (net.Conn, error) {
	c := call{pipenet.New(), from}
	defer c.net.Close()
	select {
	case l.calls <- c:
		return c.net.Dial(ctx, "tcp", l.at.String())
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *networkListener) Accept() (net.Conn, error) {
	for {
		select {
		case c := <-l.calls:
			if conn, err := c.net.Accept(); err == nil { // else who called has given up
				return &called{conn, c.from}, nil
			}
		case <-l.done:
			return nil, net.ErrClosed
		}
	}
}

// Close implements net.Listener.
func (l *networkListener) Close() error {
	l.forget()
	l.end()
	return nil
}

func (l *networkListener) end() { l.once.Do(func() { close(l.done) }) }

// Addr implements net.Listener.
func (l *networkListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// called is a connection whose other end is an interface's.
type called struct {
	net.Conn
	from netip.Addr
}

// RemoteAddr is the interface's address.
func (c *called) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.from, 40000))
}
