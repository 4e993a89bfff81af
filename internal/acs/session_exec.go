package acs

import (
	"crypto/rand"
	"errors"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// mostExecs is how many messages about sessions in containers wait for an agent's socket.
const mostExecs = 32

// ErrNotConnected says that an instance has no session, or that its agent does not keep up.
var ErrNotConnected = errors.New("the container instance's agent is not connected")

// Exec tells an instance's agent to open a session in a container. It never waits: ErrNotConnected is an agent that cannot be told now.
func (h *Hub) Exec(i arn.Instance, m acsproto.Exec) error {
	h.mu.Lock()
	s := h.sessions[i]
	h.mu.Unlock()
	if s == nil {
		return ErrNotConnected
	}
	m.MessageID, m.Cluster, m.ContainerInstance = rand.Text(), string(i.Cluster()), string(i)
	select {
	case s.execs <- m:
		return nil
	default:
		return ErrNotConnected
	}
}
