package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"berth/internal/apierr"
)

// relayBuffer is how much of a session is copied at a time. There are thousands of sessions, and their messages are short.
const relayBuffer = 4 << 10

// relay forwards an agent's websocket to the leader, and ends it when another one leads.
func (f *forwarder) relay(w http.ResponseWriter, r *http.Request) {
	if !f.begin() {
		f.refuse(w, r, apierr.Unavailable("This replica is about to stop. Connect to another one."))
		return
	}
	defer f.relays.Done()
	var up *upstream
	err := f.try(r.Context(), func(rt *route) (again bool, err error) {
		up, err = f.open(r, rt)
		return errors.As(err, new(*unsent)), err
	})
	if err != nil {
		f.answer(w, r, err)
		return
	}
	defer up.conn.Close()
	if up.answer.StatusCode != http.StatusSwitchingProtocols {
		up.refuse(w)
		return
	}
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		f.answer(w, r, fmt.Errorf("take the connection over: %w", err))
		return
	}
	defer down.Close()
	if err := up.accept(down); err != nil {
		return
	}
	stop := f.endWith(up)
	defer stop()
	up.join(down, buffered.Reader)
}

// begin counts a session, unless no more may begin.
func (f *forwarder) begin() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing.Err() != nil {
		return false
	}
	f.relays.Add(1)
	return true
}

// endWith closes a session some moments after its leader has gone or this replica is to, so that not all agents come back at once.
func (f *forwarder) endWith(up *upstream) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	later := func() {
		select {
		case <-time.After(rand.N(spread)):
			up.conn.Close()
		case <-ctx.Done():
		}
	}
	leader := context.AfterFunc(up.route.ended, later)
	own := context.AfterFunc(f.closing, later)
	return func() { leader(); own(); cancel() }
}

// spread is the time over which sessions are closed.
const spread = 2 * time.Second

// upstream is a session's connection to the leader.
type upstream struct {
	route  *route
	conn   net.Conn
	reader *bufio.Reader
	answer *http.Response
}

// open asks the leader for the session, as long as it is the leader: one that hangs would not say for long that it is not any more. What it was asked is nothing that
// the next one must not be asked.
func (f *forwarder) open(r *http.Request, rt *route) (*upstream, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(rt.ended, cancel)()
	conn, err := f.dial(ctx, "tcp", rt.host)
	if err != nil {
		return nil, err
	}
	stays := context.AfterFunc(ctx, func() { conn.Close() })
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "https", rt.host, ""
	out.Body, out.ContentLength = nil, 0
	introduce(out.Header, r)
	up := &upstream{route: rt, conn: conn, reader: bufio.NewReaderSize(conn, relayBuffer)}
	err = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if err == nil {
		err = out.Write(conn)
	}
	if err == nil {
		up.answer, err = http.ReadResponse(up.reader, out)
	}
	if err == nil && up.answer.Header.Get(notLeaderHeader) != "" {
		err = &unsent{errors.New("it does not lead")}
	}
	err = errors.Join(err, conn.SetDeadline(time.Time{}))
	if !stays() {
		err = &unsent{errEnded}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return up, nil
}

// refuse passes the leader's refusal on.
func (u *upstream) refuse(w http.ResponseWriter) {
	defer u.answer.Body.Close()
	for k, v := range u.answer.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(u.answer.StatusCode)
	io.Copy(w, io.LimitReader(u.answer.Body, maxForward)) //nolint:errcheck // one of both is gone then
}

// accept passes the leader's consent on.
func (u *upstream) accept(down net.Conn) error {
	w := bufio.NewWriter(down)
	fmt.Fprintf(w, "HTTP/1.1 %s\r\n", u.answer.Status)
	u.answer.Header.Write(w) //nolint:errcheck // Flush tells
	w.WriteString("\r\n")    //nolint:errcheck // Flush tells
	return w.Flush()
}

// join copies in both directions until one end goes. The agent is told in its own words, so that it comes back soon.
func (u *upstream) join(down net.Conn, buffered io.Reader) {
	var copying sync.WaitGroup
	copying.Go(func() {
		pump(u.conn, buffered)
		u.conn.Close()
	})
	pump(down, u.reader)
	u.conn.Close()
	if down.SetWriteDeadline(time.Now().Add(time.Second)) == nil {
		down.Write([]byte{0x88, 2, byte(websocket.StatusGoingAway >> 8), byte(websocket.StatusGoingAway & 0xff)}) //nolint:errcheck // it goes anyway
	}
	down.Close()
	copying.Wait()
}

// pump hides what else the two ends can do, for which a large buffer would be made.
func pump(to io.Writer, from io.Reader) {
	io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, relayBuffer)) //nolint:errcheck // both ends are closed next
}

// endSessions closes all relayed sessions, spread over some moments, and waits for their ends or ctx's.
func (f *forwarder) endSessions(ctx context.Context) {
	f.mu.Lock()
	f.endAll()
	f.mu.Unlock()
	gone := make(chan struct{})
	go func() { f.relays.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}
