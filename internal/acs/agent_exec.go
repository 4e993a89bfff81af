package acs

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// ChannelPath is where agents join the channels of sessions in containers. The query names the session and the container instance.
const ChannelPath = "/v1/agent-channel"

// Executor is what Orders are where the agent can open sessions in containers.
type Executor interface {
	// Exec begins a session and does not wait for it. join connects to its channel at the replica that told of it.
	Exec(ctx context.Context, m acsproto.Exec, join func(context.Context) (*websocket.Conn, error))
}

// exec hands a session over. One for another instance is left out.
func (s *agentSession) exec(ctx context.Context, m acsproto.Exec) {
	orders, can := s.orders.(Executor)
	if !can || m.ContainerInstance != s.config.Instance {
		s.config.Log.Warn("session is not for this instance", "session", m.Session, "instance", m.ContainerInstance)
		return
	}
	c := s.config
	orders.Exec(ctx, m, func(ctx context.Context) (*websocket.Conn, error) { return c.join(ctx, m.Session) })
}

// join opens the channel of a session, signed as the agent's own sessions are.
func (c AgentConfig) join(ctx context.Context, session string) (*websocket.Conn, error) {
	base, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	base.Path = strings.TrimSuffix(strings.TrimSuffix(base.Path, "/"), "/acs") + ChannelPath
	base.RawQuery = url.Values{"containerInstanceArn": {c.Instance}, "sessionId": {session}}.Encode()
	return c.open(ctx, base.String())
}
