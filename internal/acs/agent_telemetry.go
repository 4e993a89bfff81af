package acs

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// Telemetry is what an agent has to tell. Its methods are called from one goroutine.
type Telemetry interface {
	Metrics(now time.Time) []acsproto.TaskMetrics
	Health(now time.Time) []acsproto.TaskHealth
	Statuses(now time.Time) []acsproto.InstanceStatus
}

// publishEvery is the period of telemetry, and tasksPerMessage the protocol's bound.
const (
	publishEvery    = 20 * time.Second
	tasksPerMessage = 10
)

// RunTelemetry keeps a telemetry session until ctx ends: everything at connect and every 20 s, and health at once when healthChanged says so.
// c.Endpoint is DiscoverPollEndpoint's telemetryEndpoint.
func RunTelemetry(ctx context.Context, c AgentConfig, t Telemetry, healthChanged <-chan struct{}) error {
	return c.keep(ctx, backoff{first: time.Second, factor: 2, limit: time.Minute}, func(ctx context.Context, _ bool) error {
		q := url.Values{
			"agentHash": {c.AgentHash}, "agentVersion": {c.AgentVersion}, "cluster": {c.Cluster}, "containerInstance": {c.Instance},
			"dockerVersion": {c.DockerVersion},
		}
		conn, err := c.dial(ctx, q)
		if err != nil {
			return err
		}
		s := &telemetrySession{config: c, conn: conn, source: t, url: strings.TrimSuffix(c.Endpoint, "/") + "/ws?" + q.Encode()}
		return s.run(ctx, healthChanged)
	})
}

type telemetrySession struct {
	config AgentConfig
	conn   *websocket.Conn
	source Telemetry
	url    string
}

func (s *telemetrySession) run(ctx context.Context, healthChanged <-chan struct{}) error {
	defer s.conn.CloseNow() //nolint:errcheck // the session is over
	ctx, cancel := context.WithTimeoutCause(ctx, maxAge+mathrand.N(5*time.Minute), errAge)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.listen(ctx) }()
	err := s.publishLoop(ctx, healthChanged, ended)
	if errors.Is(context.Cause(ctx), errAge) {
		err = errAge
	}
	cancel()
	s.conn.CloseNow() //nolint:errcheck // wakes the listener
	return err
}

func (s *telemetrySession) publishLoop(ctx context.Context, healthChanged <-chan struct{}, ended <-chan error) error {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	err := s.publish(ctx, true)
	for err == nil {
		select {
		case <-tick.C:
			err = s.publish(ctx, true)
		case <-healthChanged:
			err = s.publish(ctx, false)
		case err = <-ended:
			return err
		}
	}
	<-ended
	return err
}

// listen reads acks and heartbeats: silence for too long ends the session.
func (s *telemetrySession) listen(ctx context.Context) error {
	silence := inactivity + mathrand.N(inactivity)
	for {
		rctx, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
		_, err := receive(rctx, s.conn)
		silent := errors.Is(context.Cause(rctx), errSilent)
		cancel()
		if silent {
			s.conn.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // we leave either way
			return errSilent
		}
		if err != nil {
			return err
		}
	}
}

// publish sends what there is to tell: health only, or everything.
func (s *telemetrySession) publish(ctx context.Context, all bool) error {
	now := time.Now()
	if err := s.publishHealth(ctx, now); err != nil || !all {
		return err
	}
	if st := s.source.Statuses(now); len(st) > 0 {
		m := acsproto.PublishInstanceStatus{Metadata: s.metadata(true), Timestamp: seconds(now), Statuses: st}
		m.Metadata.RequestID, m.Metadata.MessageID = m.Metadata.MessageID, ""
		if err := s.send(ctx, m); err != nil {
			return err
		}
	}
	return s.publishMetrics(ctx, now)
}

func (s *telemetrySession) publishHealth(ctx context.Context, now time.Time) error {
	tasks := s.source.Health(now)
	for len(tasks) > 0 {
		n := min(tasksPerMessage, len(tasks))
		m := acsproto.PublishHealth{Metadata: s.metadata(n == len(tasks)), Timestamp: seconds(now), Tasks: tasks[:n]}
		if err := s.send(ctx, m); err != nil {
			return err
		}
		tasks = tasks[n:]
	}
	return nil
}

func (s *telemetrySession) publishMetrics(ctx context.Context, now time.Time) error {
	tasks := s.source.Metrics(now)
	idle := len(tasks) == 0
	for first := true; first || len(tasks) > 0; first = false {
		n := min(tasksPerMessage, len(tasks))
		m := acsproto.PublishMetrics{Metadata: s.metadata(n == len(tasks)), Timestamp: seconds(now), TaskMetrics: tasks[:n]}
		m.Metadata.Idle = idle
		if err := s.send(ctx, m); err != nil {
			return err
		}
		tasks = tasks[n:]
	}
	return nil
}

func (s *telemetrySession) metadata(fin bool) acsproto.Metadata {
	return acsproto.Metadata{Cluster: s.config.Cluster, ContainerInstance: s.config.Instance, MessageID: rand.Text(), Fin: fin}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// send writes a frame as agents do: signed headers, an empty line, then the JSON.
func (s *telemetrySession) send(ctx context.Context, m acsproto.Message) error {
	body, err := acsproto.Encode(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	header, err := s.config.sign(ctx, s.url, body)
	if err != nil {
		return err
	}
	var frame bytes.Buffer
	header.Write(&frame) //nolint:errcheck // a buffer takes everything
	frame.WriteString("\r\n")
	frame.Write(body)
	ctx, cancel := context.WithTimeout(ctx, writeDeadline)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, frame.Bytes()); err != nil {
		return fmt.Errorf("send %s: %w", m.Type(), err)
	}
	return nil
}
