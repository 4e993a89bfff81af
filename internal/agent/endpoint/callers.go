package endpoint

import (
	"net"
	"net/netip"
	"sync"
)

// mostConnections is how many connections an address may have at once: a container that opens more of them holds no memory and no files of the agent's, and keeps
// no other from asking. Those in host mode are at one address.
const mostConnections = 256

// callerListener accepts connections as long as their caller has not too many; others it closes.
type callerListener struct {
	net.Listener
	mu   sync.Mutex
	open map[netip.Addr]int
}

func limitCallers(l net.Listener) net.Listener {
	return &callerListener{Listener: l, open: map[netip.Addr]int{}}
}

// Accept returns the next connection that its caller may have.
func (l *callerListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return c, nil
		}
		from := at.AddrPort().Addr().Unmap()
		if l.enter(from) {
			return &callerConn{Conn: c, left: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		c.Close()
	}
}

func (l *callerListener) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= mostConnections {
		return false
	}
	l.open[from]++
	return true
}

func (l *callerListener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

// callerConn says once that it is closed.
type callerConn struct {
	net.Conn
	left func()
}

func (c *callerConn) Close() error {
	defer c.left()
	return c.Conn.Close()
}
