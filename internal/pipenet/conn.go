package pipenet

import (
	"io"
	"net"
	"time"
)

// Conn is one end of a connection. Beyond net.Conn it can close its writing half alone, as a TCP connection can, and be cut.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
	gone          func() // tells the network that both ends are closed, or that the connection is cut
}

var _ interface {
	net.Conn
	CloseWrite() error
} = (*Conn)(nil)

// Read returns what has arrived, or waits for it. The other end's Close or CloseWrite shows as io.EOF behind all that was written before.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.failed("read", err)
}

// Write waits only while the other end has too much unread. It fails with EPIPE once the other end is closed.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.failed("write", err)
}

// Close ends both directions. What was written still arrives; what has not been read is lost. A second Close fails with net.ErrClosed.
func (c *Conn) Close() error {
	err := c.in.closeReading()
	c.out.closeWriting()
	if c.in.over() && c.out.over() {
		c.gone()
	}
	return c.failed("close", err)
}

// CloseWrite ends the direction away from here: the other end reads io.EOF behind what was written, and can still write.
func (c *Conn) CloseWrite() error {
	return c.failed("close", c.out.closeWriting())
}

// Cut breaks the connection as a lost network does, at both ends: what was written and not read is lost in both directions, and every
// read and write, also one that waits, fails with ECONNRESET.
func (c *Conn) Cut() {
	c.in.cut()
	c.out.cut()
	c.gone()
}

// LocalAddr is this end's address: 127.0.0.1, with a port of its own at the dialer's end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines, also for calls that wait already. The zero time means none.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets when Read fails with os.ErrDeadlineExceeded.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.failed("set", c.in.setReadDeadline(t)) }

// SetWriteDeadline sets when Write fails with os.ErrDeadlineExceeded.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.failed("set", c.out.setWriteDeadline(t)) }

// failed gives err the form that package net gives it. io.EOF stays itself, as readers compare it.
func (c *Conn) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "pipe", Source: c.local, Addr: c.remote, Err: err}
}
