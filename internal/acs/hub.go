// Package acs holds the agents' sessions, both ends: the hub of the control plane and the agent's side. It connects, heartbeats, sends
// payloads and manifests, resends what is not acked, and carries telemetry. It knows messages, not their meaning: what to send is asked
// of Control, what to do with it of Orders.
package acs

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// Control is what the hub asks of the control plane.
type Control interface {
	// Connected records that an instance has a session, durably, and returns the number of that commit or a later one.
	// An error refuses the session: a *Refusal in the agent protocol's words, anything else as a ServerException.
	Connected(ctx context.Context, h Hello) (n uint64, err error)
	// Admit says whether the instance may have a telemetry session; an error is as Connected's.
	Admit(h Hello) error
	// Disconnected says that the instance has no session any more.
	Disconnected(ctx context.Context, i arn.Instance)
	// Wanted is what the instance should be told as of now. Its cost is that of what it returns.
	Wanted(i arn.Instance) Wanted
	// Manifest is all tasks that should run on the instance as of commit n.
	Manifest(i arn.Instance) (n uint64, tasks []acsproto.ManifestTask)
	// Network is what the instance must know of its VPCs and was not told yet: told is what it was, by object, and is changed along with it; empty it is for a new
	// session. ok is false where there is nothing to tell, or the instance's agent takes no such message.
	Network(i arn.Instance, told map[string]any) (m acsproto.Network, ok bool)
	// Credentials yields new credentials of the instance's tasks, without message ids, of those whose credentials ids are wanted.
	Credentials(i arn.Instance, wanted func(id string) bool) iter.Seq[acsproto.IAMRoleCredentials]
	// Telemetry takes a message of a telemetry session: PublishMetrics, PublishHealth or PublishInstanceStatus.
	Telemetry(ctx context.Context, i arn.Instance, m acsproto.Message)
}

// Wanted is what is still to be reached on an instance, as of commit N: tasks to start and to stop.
type Wanted struct {
	N      uint64
	Orders []Order
}

// Order is a task that the agent must be told about until it acks, or until it reports what the order asks for.
type Order struct {
	Task  arn.Task
	Stop  bool
	Build func() (acsproto.Task, error)
}

// Hello is what an agent says of itself in the handshake.
type Hello struct {
	Instance                               arn.Instance
	Cluster                                string // the instance's, as the agent was configured: name or ARN
	AgentVersion, AgentHash, DockerVersion string
	SendCredentials                        bool
}

// Refusal refuses a session. Kind is one of the protocol's words; agents retry after a back-off, and after an hour for InactiveInstanceException.
type Refusal struct{ Kind, Message string }

func (r *Refusal) Error() string { return r.Kind + ": " + r.Message }

// The refusals that mean something to an agent.
const (
	InactiveInstance = "InactiveInstanceException"
	InvalidInstance  = "InvalidInstanceException"
	InvalidCluster   = "InvalidClusterException"
	ServerException  = "ServerException"
)

// Config is what a hub is made of. Zero durations take the defaults in their comments.
type Config struct {
	Control   Control
	Log       *slog.Logger
	Heartbeat time.Duration // 30 s; a session that leaves two unanswered is closed
	Resend    time.Duration // 30 s; payloads that are not acked are sent again
	Renew     time.Duration // 2 h; how often the credentials of tasks are renewed, a third of their life
	// Told is told when an agent is sent a task to start, and when it acked that, for traces. nil tells nobody.
	Told func(t arn.Task, acked bool)
}

// Hub is the control plane's end of all sessions. It takes sessions only while Run runs, that is while this replica leads.
type Hub struct {
	Config

	mu         sync.Mutex
	ctx        context.Context // of the running Run, nil outside it
	sessions   map[arn.Instance]*session
	arriving   map[arn.Instance]int // handshakes
	publishers map[arn.Instance]*publisher
	renewals   map[arn.Instance]time.Time // when the credentials of the tasks are due next, since Run began
	wg         sync.WaitGroup
	sums       sums
}

// New returns a hub.
func New(c Config) *Hub {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 30 * time.Second
	}
	if c.Resend == 0 {
		c.Resend = 30 * time.Second
	}
	if c.Renew == 0 {
		c.Renew = 2 * time.Hour
	}
	return &Hub{Config: c, sessions: map[arn.Instance]*session{}, arriving: map[arn.Instance]int{}, publishers: map[arn.Instance]*publisher{}, renewals: map[arn.Instance]time.Time{}}
}

// Run takes sessions until ctx ends, then closes them all and waits for them.
func (h *Hub) Run(ctx context.Context) error {
	h.mu.Lock()
	h.ctx = ctx
	clear(h.renewals)
	h.mu.Unlock()
	<-ctx.Done()
	h.mu.Lock()
	h.ctx = nil
	h.mu.Unlock()
	h.wg.Wait()
	return nil
}

// Notify says that what is wanted of an instance has changed. It never waits.
func (h *Hub) Notify(i arn.Instance) {
	h.mu.Lock()
	s := h.sessions[i]
	h.mu.Unlock()
	if s != nil {
		s.poke()
	}
}

// NotifyNetwork says that what the instance must know of its VPCs may have changed. It never waits.
func (h *Hub) NotifyNetwork(i arn.Instance) {
	h.mu.Lock()
	s := h.sessions[i]
	h.mu.Unlock()
	if s != nil {
		s.pokeNetwork()
	}
}

// Has reports whether the instance has a session, or is about to.
func (h *Hub) Has(i arn.Instance) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[i] != nil || h.arriving[i] > 0
}

// Kick closes an instance's session and its telemetry, if there are any: it was deregistered.
func (h *Hub) Kick(i arn.Instance) {
	h.mu.Lock()
	s, p := h.sessions[i], h.publishers[i]
	h.mu.Unlock()
	if s != nil {
		s.stop()
	}
	if p != nil {
		p.stop()
	}
}

// begin ties a request to the hub's life. ok is false when the hub does not run.
func (h *Hub) begin(r *http.Request) (ctx context.Context, end func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx == nil {
		return nil, nil, false
	}
	h.wg.Add(1)
	ctx, cancel := context.WithCancel(h.ctx)
	unlink := context.AfterFunc(r.Context(), cancel)
	return ctx, func() { unlink(); cancel(); h.wg.Done() }, true
}

// refuse answers a handshake with the protocol's error body.
func refuse(w http.ResponseWriter, err error) {
	var r *Refusal
	status := http.StatusBadRequest
	if !errors.As(err, &r) {
		r, status = &Refusal{ServerException, "Service Unavailable. Please try again later."}, http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{r.Kind: r.Message}) //nolint:errcheck // the connection is the agent's problem now
}

var errNotLeading = &Refusal{ServerException, "This replica takes no sessions now."}

// ServeACS is the ACS endpoint. The caller has verified the signature and that the caller may speak for the instance.
func (h *Hub) ServeACS(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := h.begin(r)
	if !ok {
		refuse(w, errNotLeading)
		return
	}
	defer end()
	q := r.URL.Query()
	hello := Hello{
		Instance: arn.Instance(q.Get("containerInstanceArn")), Cluster: q.Get("clusterArn"), AgentVersion: q.Get("agentVersion"),
		AgentHash: q.Get("agentHash"), DockerVersion: q.Get("dockerVersion"), SendCredentials: q.Get("sendCredentials") == "true",
	}
	arrived := h.arrive(hello.Instance)
	s, err := h.accept(ctx, w, r, hello)
	if err != nil {
		h.Log.Info("session refused", "instance", hello.Instance, "err", err)
		arrived()
		h.failed(hello.Instance)
		return
	}
	h.serve(ctx, s, arrived)
}

// maxFrame bounds one message in either direction.
const maxFrame = 4 << 20

// serve runs a session as the instance's newest: an older one is closed, and its end does not disconnect the instance.
func (h *Hub) serve(ctx context.Context, s *session, arrived func()) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.stop = cancel
	h.mu.Lock()
	older := h.sessions[s.instance]
	h.sessions[s.instance] = s
	h.mu.Unlock()
	arrived()
	if older != nil {
		older.stop()
	}
	h.Log.Info("agent connected", "instance", s.instance)
	err := s.run(ctx)
	s.conn.Close(websocket.StatusGoingAway, "") //nolint:errcheck // it may be gone already

	h.mu.Lock()
	newest := h.sessions[s.instance] == s
	if newest {
		delete(h.sessions, s.instance)
	}
	running := h.ctx
	h.mu.Unlock()
	h.Log.Info("agent disconnected", "instance", s.instance, "why", err, "replaced", !newest)
	if newest && running != nil && running.Err() == nil {
		h.Control.Disconnected(running, s.instance)
	}
}
