package acs

import (
	"context"
	"net/http"

	"github.com/coder/websocket"

	"berth/internal/arn"
)

// arrive counts a handshake that is about to become the instance's session: from before Connected has recorded it until there is the session
// itself, or none. Meanwhile Has is true, so that neither the end of an older session nor a reconcile takes the instance for disconnected.
func (h *Hub) arrive(i arn.Instance) (arrived func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.arriving[i]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.arriving[i]--; h.arriving[i] == 0 {
			delete(h.arriving, i)
		}
	}
}

// accept asks Control and answers the handshake.
func (h *Hub) accept(ctx context.Context, w http.ResponseWriter, r *http.Request, hello Hello) (*session, error) {
	n, err := h.Control.Connected(ctx, hello)
	if err != nil {
		refuse(w, err)
		return nil, err
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxFrame)
	s := newSession(h, conn, hello.Instance, n)
	s.beginRenewal(hello.SendCredentials)
	return s, nil
}

// failed ends a handshake that became no session. What it, or an older session's end meanwhile, has left undone is done now.
func (h *Hub) failed(i arn.Instance) {
	h.mu.Lock()
	running := h.ctx
	h.mu.Unlock()
	if running != nil && running.Err() == nil && !h.Has(i) {
		h.Control.Disconnected(running, i)
	}
}

// publish makes a telemetry connection the instance's one: an older one is closed.
func (h *Hub) publish(ctx context.Context, i arn.Instance) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancel(ctx)
	p := &publisher{cancel}
	h.mu.Lock()
	older := h.publishers[i]
	h.publishers[i] = p
	h.mu.Unlock()
	if older != nil {
		older.stop()
	}
	return ctx, func() {
		cancel()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.publishers[i] == p {
			delete(h.publishers, i)
		}
	}
}

// publisher is a telemetry connection.
type publisher struct{ stop context.CancelFunc }
