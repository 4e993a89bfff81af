package relay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	wire "berth/internal/session"
)

// session is one session. Its run goroutine waits for both ends and joins them.
type session struct {
	Request
	relay  *Relay
	id     string
	began  time.Time
	client chan *websocket.Conn // size 1
	agent  chan *websocket.Conn // size 1
	gone   chan struct{}        // closed when it has ended
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	token      [sha256.Size]byte
	joined     [2]bool // client, agent: an end joins once
	last       *wire.End
	transcript transcript
}

func newSession(r *Relay, req Request) *session {
	return &session{Request: req, relay: r, id: newID(req.Prefix), began: time.Now(), client: make(chan *websocket.Conn, 1), agent: make(chan *websocket.Conn, 1), gone: make(chan struct{})}
}

// renew makes a token, the only one that is good.
func (s *session) renew() string {
	token, sum := newToken()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = sum
	return token
}

func (s *session) taken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joined[0]
}

// admit says whether a token lets a client join. It is spent then.
func (s *session) admit(token string) bool {
	sum := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.joined[0] || subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
		return false
	}
	s.joined[0] = true
	return true
}

// admitAgent says whether the agent may join, once.
func (s *session) admitAgent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.joined[1]
	s.joined[1] = true
	return first
}

// end ends the session with words for the user, unless it has had its last words.
func (s *session) end(output string) {
	s.say(wire.End{Output: output})
	s.cancel()
}

// say keeps the first last words.
func (s *session) say(e wire.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = &e
	}
}

// words are the last ones.
func (s *session) words() wire.End {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return wire.End{}
	}
	return *s.last
}

// What the user is told of ends that are nobody's words.
const (
	agentAbsent = "The agent of the container did not join the session in time."
	agentGone   = "The connection to the container was lost."
)

// run serves the session to its end.
func (s *session) run() {
	defer s.relay.wg.Done()
	client, agent := s.meet()
	switch {
	case client != nil && agent != nil:
		s.join(client, agent)
	case client != nil:
		s.sayGoodbye(client)
	}
	if agent != nil {
		agent.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // it may be gone already
	}
	past := s.status()
	past.Ended, past.Command, past.Properties = time.Now(), "", nil // which lists do not show
	s.relay.remember(past)
	s.relay.remove(s)
	close(s.gone)
	s.tell(client != nil && agent != nil)
}

// meet waits for both ends. One that does not come in time is nil.
func (s *session) meet() (client, agent *websocket.Conn) {
	late := time.NewTimer(joinTime)
	defer late.Stop()
	for client == nil || agent == nil {
		select {
		case client = <-s.client:
		case agent = <-s.agent:
		case <-late.C:
			s.say(wire.End{Output: agentAbsent})
			return client, agent
		case <-s.ctx.Done():
			return client, agent
		}
	}
	return client, agent
}

// silence is how long an end may say nothing; the agent ends an idle session before that.
const silence = wire.Idle + time.Minute

// join passes messages on in both directions until one end goes. The client's socket stays open for the last words.
func (s *session) join(client, agent *websocket.Conn) {
	both, stop := context.WithCancel(s.ctx)
	defer stop()
	var reading sync.WaitGroup
	defer reading.Wait()
	// Reading from the client must not be given up by a context: that closes its socket, and the last words would not come.
	listening, deaf := context.WithCancel(context.Background())
	reading.Go(func() {
		defer stop()
		s.fromClient(listening, both, client, agent)
	})
	err := s.fromAgent(both, agent, client)
	if err != nil {
		s.say(wire.End{Output: agentGone})
	}
	stop()
	s.sayGoodbye(client)
	deaf()
}

// fromClient passes on what the client says until it goes, or the agent does.
func (s *session) fromClient(reading, writing context.Context, client, agent *websocket.Conn) {
	for {
		kind, b, err := read(reading, client)
		if err != nil {
			s.say(wire.End{})
			return
		}
		if kind != websocket.MessageBinary {
			continue
		}
		if write(writing, agent, kind, b) != nil {
			return
		}
	}
}

// fromAgent passes on what the agent says until it says its last words, or goes.
func (s *session) fromAgent(ctx context.Context, agent, client *websocket.Conn) error {
	for {
		kind, b, err := read(ctx, agent)
		if err != nil {
			return fmt.Errorf("receive from the agent: %w", err)
		}
		if kind == websocket.MessageText {
			var e wire.End
			if err := json.Unmarshal(b, &e); err != nil {
				return fmt.Errorf("decode the agent's last words: %w", err)
			}
			s.say(e)
			return nil
		}
		if s.LogGroup != "" {
			s.transcript.take(b)
		}
		if err := write(ctx, client, kind, b); err != nil {
			return fmt.Errorf("send to the client: %w", err)
		}
	}
}

func read(ctx context.Context, c *websocket.Conn) (websocket.MessageType, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return c.Read(ctx)
}

// writeTime is how long an end may take to accept a message.
const writeTime = 30 * time.Second

func write(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return c.Write(ctx, kind, b)
}

// sayGoodbye tells the client that the session has ended, and closes its socket.
func (s *session) sayGoodbye(client *websocket.Conn) {
	var id [16]byte
	rand.Read(id[:]) //nolint:errcheck // it never fails
	b, err := wire.Close(id, s.id, s.words().Output, time.Now())
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err = errors.Join(err, client.Write(ctx, websocket.MessageBinary, b)); err == nil {
		err = client.Close(websocket.StatusNormalClosure, "")
	}
	if err != nil {
		client.CloseNow() //nolint:errcheck // it has gone
	}
}

// tell tells of the end.
func (s *session) tell(joined bool) {
	last := s.words()
	r := Record{Request: s.Request, ID: s.id, Began: s.began, Ended: time.Now(), Joined: joined, ExitCode: last.ExitCode, Output: last.Output, Transcript: s.transcript.kept}
	s.relay.Log.Info("session ended", "session", s.id, "task", s.Task, "container", s.Container, "caller", s.Caller, "command", s.Command, "port", s.Port, "host", s.Host, "joined", joined,
		"exitCode", exitText(r.ExitCode), "why", r.Output, "took", r.Ended.Sub(r.Began).Round(time.Millisecond))
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	s.relay.Ended(ctx, r)
}

func exitText(code *int) string {
	if code == nil {
		return "unknown"
	}
	return fmt.Sprint(*code)
}

// transcript is what an agent's messages have shown, each once.
type transcript struct {
	next int64
	kept []byte
}

func (t *transcript) take(frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil || m.Kind != wire.Output || m.Sequence < t.next {
		return
	}
	t.next = m.Sequence + 1
	if m.Payload == wire.Data || m.Payload == wire.StdErr {
		t.kept = append(t.kept, m.Content[:min(len(m.Content), MaxTranscript-len(t.kept))]...)
	}
}
