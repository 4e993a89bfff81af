package acs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// maxTasks bounds the tasks of one payload.
const maxTasks = 50

// session is one ACS connection. run's goroutine writes; the reader hands it what concerns it over one-element channels.
type session struct {
	hub      *Hub
	conn     *websocket.Conn
	instance arn.Instance
	first    uint64 // the commit that started it: the first manifest's timeline
	stop     func()

	changed chan struct{}                      // size 1: look again at what is wanted
	acks    chan string                        // message ids
	verify  chan acsproto.TaskStopVerification // candidates to stop

	network     chan struct{}  // size 1: look again at what the instance must know of its VPCs
	networkTold map[string]any // what it was told
	networkNext time.Time      // when it may be told again
	networkDue  *time.Timer

	renewal renewal
	execs   chan acsproto.Exec // to tell

	orders   map[orderKey]*sent
	payloads map[string][]orderKey // by message id, not acked
	manifest string                // id of the last manifest
	silent   int                   // heartbeats in a row without an answer
}

type orderKey struct {
	task arn.Task
	stop bool
}

type sent struct {
	at    time.Time
	acked bool
}

func newSession(h *Hub, conn *websocket.Conn, i arn.Instance, n uint64) *session {
	return &session{
		hub: h, conn: conn, instance: i, first: n, changed: make(chan struct{}, 1), acks: make(chan string), verify: make(chan acsproto.TaskStopVerification),
		network: make(chan struct{}, 1), networkTold: map[string]any{}, networkDue: stoppedTimer(),
		renewal: newRenewal(), execs: make(chan acsproto.Exec, mostExecs),
		orders: map[orderKey]*sent{}, payloads: map[string][]orderKey{},
	}
}

// poke makes the session look again. It never waits.
func (s *session) poke() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// run serves the session until ctx ends or the connection does.
func (s *session) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.read(ctx) })
	g.Go(func() error { return s.write(ctx) })
	return g.Wait()
}

func (s *session) write(ctx context.Context) error {
	if err := s.sendManifest(ctx); err != nil {
		return err
	}
	if err := s.sendNetwork(ctx); err != nil {
		return err
	}
	heartbeat := time.NewTicker(s.hub.Heartbeat)
	defer heartbeat.Stop()
	defer s.networkDue.Stop()
	defer s.renewal.timer.Stop()
	s.poke()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.changed:
			err = s.sendOrders(ctx)
		case <-s.network:
			err = s.networkChanged(ctx)
		case <-s.networkDue.C:
			err = s.sendNetwork(ctx)
		case <-s.renewal.timer.C:
			err = s.renewCredentials(ctx)
		case m := <-s.execs:
			err = s.send(ctx, m)
		case a := <-s.renewal.acks:
			s.renewed(a)
		case id := <-s.acks:
			s.silent = 0 // any answer shows that the agent lives
			s.acked(id)
		case v := <-s.verify:
			err = s.confirmStops(ctx, v)
		case <-heartbeat.C:
			if s.silent++; s.silent > 2 {
				return errors.New("two heartbeats were not answered")
			}
			if err = s.send(ctx, acsproto.Heartbeat{MessageID: rand.Text(), Healthy: true}); err == nil {
				err = s.sendOrders(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
}

// sendOrders sends what is wanted and not yet told, and again what was not acked for long. Its cost is that of what is still to be reached.
func (s *session) sendOrders(ctx context.Context) error {
	w := s.hub.Control.Wanted(s.instance)
	now := time.Now()
	live := make(map[orderKey]*sent, len(w.Orders))
	var due []Order
	for _, o := range w.Orders {
		k := orderKey{o.Task, o.Stop}
		live[k] = s.orders[k]
		if was := s.orders[k]; was == nil || !was.acked && now.Sub(was.at) >= s.hub.Resend {
			due = append(due, o)
			if was != nil {
				s.hub.sums.resent.Add(1)
			}
		}
	}
	s.orders = live // orders that are reached are forgotten
	for len(due) > 0 {
		n := min(maxTasks, len(due))
		if err := s.sendPayload(ctx, w.N, due[:n], now); err != nil {
			return err
		}
		due = due[n:]
	}
	return nil
}

func (s *session) sendPayload(ctx context.Context, n uint64, orders []Order, now time.Time) error {
	p := acsproto.Payload{
		MessageID: rand.Text(), Cluster: string(s.instance.Cluster()), ContainerInstance: string(s.instance),
		GeneratedAt: now.UnixMilli(), SeqNum: int64(n), Timeline: int64(n),
	}
	var keys []orderKey
	for _, o := range orders {
		t, err := o.Build()
		if err != nil {
			s.hub.Log.Error("task cannot be told to its agent", "task", o.Task, "err", err)
			continue
		}
		p.Tasks = append(p.Tasks, t)
		k := orderKey{o.Task, o.Stop}
		keys = append(keys, k)
		s.orders[k] = &sent{at: now}
	}
	if len(keys) == 0 {
		return nil
	}
	s.payloads[p.MessageID] = keys
	s.hub.sent(keys)
	return s.send(ctx, p)
}

func (s *session) acked(id string) {
	s.hub.acked(s.payloads[id])
	for _, k := range s.payloads[id] {
		if o := s.orders[k]; o != nil {
			o.acked = true
		}
	}
	delete(s.payloads, id)
}

// sendManifest lists everything that should run, so that the agent asks about what should not.
func (s *session) sendManifest(ctx context.Context) error {
	n, tasks := s.hub.Control.Manifest(s.instance)
	s.manifest = rand.Text()
	return s.send(ctx, acsproto.TaskManifest{
		MessageID: s.manifest, Cluster: string(s.instance.Cluster()), ContainerInstance: string(s.instance),
		GeneratedAt: time.Now().UnixMilli(), Timeline: int64(max(n, s.first)), Tasks: tasks,
	})
}

// confirmStops answers a verification: the candidates that are not wanted must stop.
func (s *session) confirmStops(ctx context.Context, v acsproto.TaskStopVerification) error {
	if v.MessageID != s.manifest {
		return nil
	}
	wanted := map[string]bool{}
	_, tasks := s.hub.Control.Manifest(s.instance)
	for _, t := range tasks {
		wanted[t.Task] = true
	}
	ack := acsproto.TaskStopVerificationAck{MessageID: s.manifest, GeneratedAt: time.Now().UnixMilli(), StopTasks: []acsproto.ManifestTask{}}
	for _, c := range v.StopCandidates {
		if !wanted[c.Task] {
			c.DesiredStatus = "STOPPED"
			ack.StopTasks = append(ack.StopTasks, c)
		}
	}
	return s.send(ctx, ack)
}

func (s *session) send(ctx context.Context, m acsproto.Message) error { return send(ctx, s.conn, m) }

// send writes one message within the socket's deadline.
func send(ctx context.Context, conn *websocket.Conn, m acsproto.Message) error {
	frame, err := acsproto.Encode(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return fmt.Errorf("send %s: %w", m.Type(), err)
	}
	return nil
}

// writeDeadline is how long a peer may take to accept a message.
const writeDeadline = 30 * time.Second

// receive reads one message.
func receive(ctx context.Context, conn *websocket.Conn) (acsproto.Message, error) {
	_, frame, err := conn.Read(ctx)
	if err != nil {
		return nil, err
	}
	_, body := acsproto.SplitHeader(frame)
	return acsproto.Decode(body)
}

func (s *session) read(ctx context.Context) error {
	for {
		m, err := receive(ctx, s.conn)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		switch m := m.(type) {
		case acsproto.HeartbeatAck:
			err = hand(ctx, s.acks, "")
		case acsproto.Ack:
			err = hand(ctx, s.acks, m.MessageID)
		case acsproto.IAMRoleCredentialsAck:
			err = hand(ctx, s.renewal.acks, m)
		case acsproto.Nack:
			s.hub.Log.Warn("agent refused a message", "instance", s.instance, "message", m.MessageID, "reason", m.Reason)
		case acsproto.TaskStopVerification:
			err = hand(ctx, s.verify, m)
		default:
			s.hub.Log.Debug("message ignored", "instance", s.instance, "type", m.Type())
		}
		if err != nil {
			return err
		}
	}
}

// hand gives v to the writer.
func hand[T any](ctx context.Context, c chan<- T, v T) error {
	select {
	case c <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
