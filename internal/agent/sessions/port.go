package sessions

import (
	"context"
	"fmt"
	"net"
	"sync"

	"berth/internal/agent"
	"berth/internal/session"
)

// forward is a forwarded port: one connection at a time. When the client's has ended it begins anew; when the server's has, the session is over,
// for there is no other way to tell the client.
type forward struct {
	dial   func() (net.Conn, error)
	output chan piece
	done   chan struct{} // closed when the session is over
	work   sync.WaitGroup

	mu     sync.Mutex
	now    *connection // nil between two
	over   bool        // done is closed
	closed bool        // no more begin
}

// connection is one to the port.
type connection struct {
	net.Conn
	dropped chan struct{} // closed when it is not wanted any more
}

// port connects to a session's port. A server may speak first, so the connection is made before the client's is.
func (s *Sessions) port(ctx context.Context, a agent.Session) (*far, error) {
	f := &forward{output: make(chan piece), done: make(chan struct{}), dial: func() (net.Conn, error) { return s.Dial(ctx, a.RuntimeID, a.Host, a.Port) }}
	if err := f.begin(); err != nil {
		return nil, fmt.Errorf("Connection to destination port failed: %w", err) //nolint:staticcheck // what the user is told
	}
	log := s.Log.With("session", a.ID, "port", a.Port)
	return &far{
		output: f.output, done: f.done,
		take: func(_ context.Context, in session.In) {
			if err := f.take(in); err != nil {
				log.Info("forwarded port", "err", err)
				f.finish(nil)
			}
		},
		end:   func(context.Context) session.End { return session.End{} },
		close: f.close,
	}, nil
}

// begin makes a connection, and passes on what comes from it.
func (f *forward) begin() error {
	c, err := f.dial()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		c.Close()
		return net.ErrClosed
	}
	made := &connection{c, make(chan struct{})}
	f.now = made
	f.work.Go(func() { f.show(made) })
	return nil
}

func (f *forward) show(c *connection) {
	for {
		b := make([]byte, chunk)
		n, err := c.Read(b)
		if n > 0 {
			select {
			case f.output <- piece{session.Data, b[:n]}:
			case <-c.dropped:
				return
			}
		}
		if err != nil {
			f.finish(c)
			return
		}
	}
}

// finish ends the session: c has ended, unless it is not wanted any more. nil ends it in any case.
func (f *forward) finish(c *connection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if (c == nil || c == f.now) && !f.over {
		f.over = true
		close(f.done)
	}
}

// take takes what the client has sent.
func (f *forward) take(in session.In) error {
	switch {
	case in.Payload == session.Flag && in.Flag == session.DisconnectToPort:
		f.drop()
		return f.begin()
	case in.Payload != session.Data:
		return nil
	}
	f.mu.Lock()
	c := f.now
	f.mu.Unlock()
	if c == nil {
		return net.ErrClosed
	}
	_, err := c.Write(in.Data)
	return err
}

// drop ends the connection that there is.
func (f *forward) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil {
		close(f.now.dropped)
		f.now.Close()
		f.now = nil
	}
}

func (f *forward) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.drop()
	f.work.Wait()
}
