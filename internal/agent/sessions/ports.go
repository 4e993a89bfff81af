package sessions

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"

	"github.com/xtaci/smux"

	"berth/internal/agent"
	"berth/internal/session"
)

// mostConnections is how many connections a session forwards at once.
const mostConnections = 100

// multiplex is a forwarded port with several connections: the session's data are a stream of smux, whose streams are connections.
type multiplex struct {
	dial   func() (net.Conn, error)
	log    *slog.Logger
	near   net.Conn // the session's end of the stream
	mux    *smux.Session
	output chan piece
	done   chan struct{} // closed when there is no more of the stream
	quit   chan struct{} // closed by close
	seats  chan struct{}
	work   sync.WaitGroup
}

// ports forwards a session's port.
func (s *Sessions) ports(ctx context.Context, a agent.Session) (*far, error) {
	config := smux.DefaultConfig()
	config.KeepAliveDisabled = true // a session that says nothing is idle
	near, distant := net.Pipe()
	mux, err := smux.Server(distant, config)
	if err != nil {
		near.Close()
		distant.Close()
		return nil, fmt.Errorf("multiplex connections: %w", err)
	}
	m := &multiplex{
		near: near, mux: mux, output: make(chan piece), done: make(chan struct{}), quit: make(chan struct{}), seats: make(chan struct{}, mostConnections),
		dial: func() (net.Conn, error) { return s.Dial(ctx, a.RuntimeID, a.Host, a.Port) }, log: s.Log.With("session", a.ID, "port", a.Port),
	}
	m.work.Go(m.accept)
	m.work.Go(m.show)
	return &far{output: m.output, done: m.done, take: m.take, end: func(context.Context) session.End { return session.End{} }, close: m.close}, nil
}

// take gives the stream what the client has sent.
func (m *multiplex) take(_ context.Context, in session.In) {
	if in.Payload != session.Data {
		return
	}
	if _, err := m.near.Write(in.Data); err != nil {
		m.near.Close()
	}
}

// show passes the stream on to the client.
func (m *multiplex) show() {
	defer close(m.done)
	for {
		b := make([]byte, chunk)
		n, err := m.near.Read(b)
		if n > 0 && !m.tell(piece{session.Data, b[:n]}) || err != nil {
			return
		}
	}
}

func (m *multiplex) tell(p piece) bool {
	select {
	case m.output <- p:
		return true
	case <-m.quit:
		return false
	}
}

// accept makes a connection for each that the client makes.
func (m *multiplex) accept() {
	defer m.mux.Close()
	for {
		stream, err := m.mux.AcceptStream()
		if err != nil {
			return
		}
		select {
		case m.seats <- struct{}{}:
			m.work.Go(func() { defer func() { <-m.seats }(); m.forward(stream) })
		default:
			m.log.Warn("too many connections are forwarded at once")
			stream.Close()
		}
	}
}

// forward connects a stream with the port until one of both ends.
func (m *multiplex) forward(stream *smux.Stream) {
	defer stream.Close()
	c, err := m.dial()
	if err != nil {
		m.log.Info("connection to the port failed", "err", err)
		m.tell(piece{session.Flag, session.ConnectToPortError.Bytes()})
		return
	}
	defer c.Close()
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(stream, c) //nolint:errcheck // one of both has ended
		stream.Close()
	})
	io.Copy(c, stream) //nolint:errcheck // one of both has ended
	c.Close()
	back.Wait()
}

func (m *multiplex) close() {
	close(m.quit)
	m.near.Close()
	m.mux.Close()
	m.work.Wait()
}
