// Package sessions serves the agent's end of sessions in containers: it joins a session's channel, shakes hands with the Session Manager plugin, and
// connects it with a shell or a port of the container.
package sessions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"berth/internal/agent"
	"berth/internal/session"
)

// Sessions implements agent.Sessions.
type Sessions struct {
	Engine agent.Execs
	// Dial connects to a port as from within a container: of the container itself where host is "". nil refuses to forward ports.
	Dial func(ctx context.Context, containerID, host string, port int32) (net.Conn, error)
	Log  *slog.Logger
}

var _ agent.Sessions = (*Sessions)(nil)

const (
	// handshakeTime is how long the client may take to join and to answer.
	handshakeTime = time.Minute
	// settleTime is how long the client has to acknowledge what was shown last.
	settleTime = 5 * time.Second
	// writeTime is how long the control plane may take to accept a message.
	writeTime = 30 * time.Second
)

// far is what a session connects the client with.
type far struct {
	output <-chan piece                             // what it shows
	done   <-chan struct{}                          // closed at its end, when all that it has shown is taken
	take   func(ctx context.Context, in session.In) // gives it what the client has sent; it may wait
	end    func(ctx context.Context) session.End    // how it ended, after done
	close  func()                                   // ends it, and waits for all that belongs to it
}

// piece is something that is shown to the client.
type piece struct {
	payload session.Payload
	data    []byte
}

// Serve implements agent.Sessions.
func (s *Sessions) Serve(ctx context.Context, a agent.Session, join agent.Join) {
	log := s.Log.With("session", a.ID, "task", a.Task, "container", a.Container)
	conn, err := join(ctx)
	if err != nil {
		log.Warn("session not joined", "err", err)
		return
	}
	defer conn.CloseNow() //nolint:errcheck // it is closed in words where it can be
	conn.SetReadLimit(session.MaxMessage)
	log.Info("session joined", "command", a.Command, "port", a.Port)
	end, err := s.serve(ctx, a, conn)
	log.Info("session ended", "why", end.Output, "err", err)
}

// lastWords tells the control plane how the session ended.
func lastWords(conn *websocket.Conn, end session.End) error {
	b, err := json.Marshal(end)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, b); err != nil {
		return err
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}

// serve serves a session on its channel, and tells how it ended. An error is one of the channel's: nobody could be told.
func (s *Sessions) serve(ctx context.Context, a agent.Session, conn *websocket.Conn) (end session.End, err error) {
	channel, err := session.New(s.offer(a), time.Now())
	if err != nil {
		return session.End{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	x := &exchange{channel: channel, conn: conn, frames: make(chan []byte), inputs: make(chan session.In), log: s.Log.With("session", a.ID)}
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	defer func() { // before reading is given up, which closes the connection
		if err == nil {
			err = lastWords(conn, end)
		}
	}()
	working.Go(func() { x.read(ctx) })
	if end, err := x.shake(ctx); err != nil {
		return session.End{}, err
	} else if end != nil {
		return *end, nil
	}
	to, err := s.connect(ctx, a, channel.Version())
	if err != nil {
		return session.End{Output: err.Error()}, nil
	}
	defer to.close()
	working.Go(func() { x.feed(ctx, to) })
	return x.run(ctx, to)
}

// offer is what the handshake says of a session.
func (s *Sessions) offer(a agent.Session) session.Config {
	c := session.Config{Type: session.Command, ID: newID}
	if a.Port != 0 {
		c.Type = session.Port
		c.Properties = session.PortProperties{
			PortNumber: strconv.Itoa(int(a.Port)), LocalPortNumber: a.Properties["localPortNumber"], LocalConnectionType: a.Properties["localConnectionType"],
			LocalUnixSocket: a.Properties["localUnixSocket"], Type: "LocalPortForwarding",
		}
	}
	return c
}

func newID() (id [16]byte) {
	rand.Read(id[:]) //nolint:errcheck // it never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// connect begins what a session is for, with a client of a version. Its error is what the user is told.
func (s *Sessions) connect(ctx context.Context, a agent.Session, client string) (*far, error) {
	if a.Port == 0 {
		return s.shell(ctx, a)
	}
	if s.Dial == nil {
		return nil, errors.New("This agent does not forward ports.") //nolint:staticcheck // what the user is told
	}
	if session.Several(client) {
		return s.ports(ctx, a)
	}
	return s.port(ctx, a)
}
