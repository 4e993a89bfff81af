package relay

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	wire "berth/internal/session"
)

// ClientPath begins the path of a client's data channel; the session's id follows.
const ClientPath = "/v1/data-channel/"

// helloTime is how long a client has to say its token.
const helloTime = 10 * time.Second

// ServeClient takes a client's data channel. Its first message has the token: nothing else says who it is.
func (r *Relay) ServeClient(w http.ResponseWriter, req *http.Request) {
	s := r.find(strings.TrimPrefix(req.URL.Path, ClientPath))
	if s == nil {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	conn, err := accept(w, req)
	if err != nil {
		r.Log.Info("data channel refused", "session", s.id, "err", err)
		return
	}
	if !s.greet(conn) {
		r.Log.Warn("data channel refused: its token is not good", "session", s.id, "from", req.RemoteAddr)
		conn.Close(websocket.StatusPolicyViolation, "the token is not good") //nolint:errcheck // it may be gone already
		return
	}
	s.client <- conn
	s.hold(conn)
}

// hold waits for the session's end. A connection that came when it had ended is closed.
func (s *session) hold(conn *websocket.Conn) {
	<-s.gone
	conn.CloseNow() //nolint:errcheck // it is closed already, but where it came too late
}

func accept(w http.ResponseWriter, r *http.Request) (*websocket.Conn, error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(wire.MaxMessage)
	return conn, nil
}

// greet reads a client's first message, and says whether it may join.
func (s *session) greet(conn *websocket.Conn) bool {
	ctx, cancel := context.WithTimeout(s.ctx, helloTime)
	defer cancel()
	_, b, err := conn.Read(ctx)
	if err != nil {
		return false
	}
	var hello wire.Hello
	return json.Unmarshal(b, &hello) == nil && s.admit(hello.TokenValue)
}

// ServeAgent takes an agent's end of a channel. The caller has verified the signature, and that the caller may speak for the container instance that
// the query names.
func (r *Relay) ServeAgent(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	s := r.find(q.Get("sessionId"))
	if s == nil || string(s.Instance) != q.Get("containerInstanceArn") {
		http.Error(w, "no such session", http.StatusNotFound)
		return
	}
	if !s.admitAgent() {
		http.Error(w, "the session is joined already", http.StatusConflict)
		return
	}
	conn, err := accept(w, req)
	if err != nil {
		s.end(agentGone)
		return
	}
	s.agent <- conn
	s.hold(conn)
}
