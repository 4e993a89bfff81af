package acs

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// agentSession is the agent's end of one ACS connection.
type agentSession struct {
	config   AgentConfig
	conn     *websocket.Conn
	orders   Orders
	manifest string // id of the last manifest, whose stops may be confirmed once
}

var (
	errAge    = errors.New("ConnectionExpired: Reconnect to continue")
	errSilent = errors.New("the server was silent for too long")
)

// run does what the server says until the connection ends, the server is silent for too long, or the connection is old.
func (s *agentSession) run(ctx context.Context) error {
	defer s.conn.CloseNow() //nolint:errcheck // closed below where it matters
	ctx, cancel := context.WithTimeoutCause(ctx, maxAge+rand.N(5*time.Minute), errAge)
	defer cancel()
	silence := inactivity + rand.N(inactivity)
	for {
		m, err := s.receive(ctx, silence)
		if err == nil {
			err = s.take(ctx, m)
		}
		switch {
		case err == nil:
		case errors.Is(context.Cause(ctx), errAge):
			s.conn.Close(websocket.StatusNormalClosure, errAge.Error()) //nolint:errcheck // we leave either way
			return errAge
		default:
			return err
		}
	}
}

func (s *agentSession) receive(ctx context.Context, silence time.Duration) (acsproto.Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
	defer cancel()
	m, err := receive(ctx, s.conn)
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return nil, errSilent
	}
	return m, err
}

func (s *agentSession) take(ctx context.Context, m acsproto.Message) error {
	switch m := m.(type) {
	case acsproto.Heartbeat:
		s.orders.Heartbeat(ctx)
		return send(ctx, s.conn, acsproto.HeartbeatAck{MessageID: m.MessageID})
	case acsproto.Payload:
		return s.payload(ctx, m)
	case acsproto.TaskManifest:
		return s.manifestCame(ctx, m)
	case acsproto.TaskStopVerificationAck:
		if m.MessageID == s.manifest {
			s.manifest = ""
			s.orders.StopVerified(ctx, m.StopTasks)
		}
	case acsproto.Network:
		s.orders.Network(ctx, m)
	case acsproto.Exec:
		s.exec(ctx, m)
	case acsproto.IAMRoleCredentials:
		if s.orders.Credentials(ctx, m) {
			return send(ctx, s.conn, acsproto.IAMRoleCredentialsAck{
				CredentialsID: m.Credentials.CredentialsID, Expiration: m.Credentials.Expiration, MessageID: m.MessageID,
			})
		}
	default:
		s.config.Log.Debug("message ignored", "type", m.Type())
	}
	return nil
}

func (s *agentSession) payload(ctx context.Context, p acsproto.Payload) error {
	if p.MessageID == "" || p.Cluster == "" || p.ContainerInstance != s.config.Instance {
		s.config.Log.Warn("payload is not for this instance", "message", p.MessageID, "instance", p.ContainerInstance)
		return nil
	}
	if err := s.orders.Payload(ctx, p); err != nil {
		s.config.Log.Warn("payload not acked", "message", p.MessageID, "err", err)
		return nil
	}
	return send(ctx, s.conn, s.ack(p.MessageID))
}

func (s *agentSession) manifestCame(ctx context.Context, m acsproto.TaskManifest) error {
	stop, err := s.orders.Manifest(ctx, m)
	if err != nil {
		s.config.Log.Warn("manifest discarded", "timeline", m.Timeline, "err", err)
		return nil
	}
	s.manifest = m.MessageID
	if err := send(ctx, s.conn, s.ack(m.MessageID)); err != nil {
		return err
	}
	if len(stop) == 0 {
		return nil
	}
	return send(ctx, s.conn, acsproto.TaskStopVerification{MessageID: m.MessageID, StopCandidates: stop})
}

func (s *agentSession) ack(id string) acsproto.Ack {
	return acsproto.Ack{Cluster: s.config.Cluster, ContainerInstance: s.config.Instance, MessageID: id}
}
