// Package relay joins the two ends of sessions in containers: the Session Manager plugin's data channel and the agent's. It knows who may join
// by a token that is good once, passes messages on as they are, and tells the plugin when the session has ended. Sessions live in the leader's
// memory only: with it they end.
package relay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// Config is what a relay is made of.
type Config struct {
	// Tell has the agent of a container instance join a session. Its error refuses the session.
	Tell func(i arn.Instance, m acsproto.Exec) error
	// Ended is told of every session that has ended, before it is forgotten. nil tells nobody.
	Ended func(ctx context.Context, r Record)
	Log   *slog.Logger // discards
}

// Request is a session to open.
type Request struct {
	Task       arn.Task
	Instance   arn.Instance
	Container  string // by its name
	RuntimeID  string
	Command    string            // "" with a port
	Port       int32             // to forward
	Host       string            // whose port it is, "" for the container itself
	Properties map[string]string // of the session, for the client
	Prefix     string            // of the session's id: ecs-execute-command-
	Caller     string            // ARN of who asked
	Owner      string            // id of who asked, as the tag of a session has it
	Target     string            // of Systems Manager: ecs:CLUSTER_TASKID_RUNTIMEID
	Document   string            // by which it was opened
	Reason     string            // that the caller gave
	LogGroup   string            // where the record and what the session shows is logged, "" for nowhere
}

// Ticket lets a client join its session.
type Ticket struct{ ID, Token string }

// Record is a session that has ended.
type Record struct {
	Request
	ID           string
	Began, Ended time.Time
	Joined       bool   // both ends were there
	ExitCode     *int   // of the command, nil where it is not known
	Output       string // what the user was told at the end
	Transcript   []byte // what the session has shown, where LogGroup is set: its first MaxTranscript bytes
}

const (
	// joinTime is how long both ends have to join.
	joinTime = 30 * time.Second
	// mostSessions bounds the sessions of an installation, mostOfTask those of one task, which is ECS's own quota of an account's for each.
	mostSessions = 1000
	mostOfTask   = 50
	// MaxTranscript bounds what is kept of what a session shows.
	MaxTranscript = 1 << 20
	// endTime bounds what Ended may take.
	endTime = 30 * time.Second
)

// Errors of Open and Resume.
var (
	ErrNotRunning = errors.New("this replica takes no sessions now")
	ErrTooMany    = errors.New("too many sessions are open")
	ErrUnknown    = errors.New("no such session")
)

// Relay holds the sessions. It takes them only while Run runs.
type Relay struct {
	Config

	mu       sync.Mutex
	ctx      context.Context // of the running Run, nil outside it
	sessions map[string]*session
	past     []Status // the last that have ended, mostPast at most
	wg       sync.WaitGroup
}

// New returns a relay.
func New(c Config) *Relay {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Ended == nil {
		c.Ended = func(context.Context, Record) {}
	}
	return &Relay{Config: c, sessions: map[string]*session{}}
}

// Run takes sessions until ctx ends, then ends them all and waits for them.
func (r *Relay) Run(ctx context.Context) error {
	r.mu.Lock()
	r.ctx = ctx
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.ctx = nil
	r.mu.Unlock()
	r.wg.Wait()
	return nil
}

// Open begins a session: its agent is told, and both ends have 30 seconds to join it. An error is one of Open's or Tell's.
func (r *Relay) Open(req Request) (Ticket, error) {
	s := newSession(r, req)
	token := s.renew()
	if err := r.add(s); err != nil {
		return Ticket{}, err
	}
	err := r.Tell(req.Instance, acsproto.Exec{
		Session: s.id, Task: string(req.Task), Container: req.Container, RuntimeID: req.RuntimeID, Command: req.Command, Port: req.Port, Host: req.Host, Properties: req.Properties,
	})
	if err != nil {
		r.remove(s)
		close(s.gone)
		r.wg.Done()
		return Ticket{}, err
	}
	go s.run()
	r.Log.Info("session opened", "session", s.id, "task", req.Task, "container", req.Container, "caller", req.Caller)
	return Ticket{s.id, token}, nil
}

// add takes a session in, and counts its goroutine.
func (r *Relay) add(s *session) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil || r.ctx.Err() != nil {
		return ErrNotRunning
	}
	ofTask := 0
	for _, other := range r.sessions {
		if other.Task == s.Task {
			ofTask++
		}
	}
	if len(r.sessions) >= mostSessions || ofTask >= mostOfTask {
		return ErrTooMany
	}
	r.sessions[s.id] = s
	s.ctx, s.cancel = context.WithCancel(r.ctx)
	r.wg.Add(1)
	return nil
}

func (r *Relay) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.id)
	s.cancel()
}

func (r *Relay) find(id string) *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

// Account is whose task a session is in; ErrUnknown if there is none.
func (r *Relay) Account(id string) (string, error) {
	s := r.find(id)
	if s == nil {
		return "", ErrUnknown
	}
	return arn.ScopeOf(s.Task).Account, nil
}

// Resume gives a client that has not joined yet another token, in place of the one that it had. ErrUnknown is a session that has ended, or is
// joined: it ends with its client's connection.
func (r *Relay) Resume(id string) (Ticket, error) {
	s := r.find(id)
	if s == nil || s.taken() {
		return Ticket{}, ErrUnknown
	}
	return Ticket{id, s.renew()}, nil
}

// Terminate ends a session; ErrUnknown if there is none.
func (r *Relay) Terminate(id string) error {
	s := r.find(id)
	if s == nil {
		return ErrUnknown
	}
	s.end("")
	return nil
}

// newID is an id as ECS makes them: the prefix and 17 hexadecimal digits.
func newID(prefix string) string {
	b := make([]byte, 9)
	rand.Read(b) //nolint:errcheck // it never fails
	return prefix + "0" + hex.EncodeToString(b)[:16]
}

// newToken is a token, and what is kept of it.
func newToken() (token string, sum [sha256.Size]byte) {
	token = strings.Join([]string{rand.Text(), rand.Text(), rand.Text()}, "")
	return token, sha256.Sum256([]byte(token))
}
