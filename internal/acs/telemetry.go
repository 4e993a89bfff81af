package acs

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"berth/internal/acsproto"
	"berth/internal/arn"
)

// ServeTCS is the telemetry endpoint. The caller has verified the signature and that the caller may speak for the instance.
func (h *Hub) ServeTCS(w http.ResponseWriter, r *http.Request) {
	ctx, end, ok := h.begin(r)
	if !ok {
		refuse(w, errNotLeading)
		return
	}
	defer end()
	hello := Hello{Instance: arn.Instance(r.URL.Query().Get("containerInstance")), Cluster: r.URL.Query().Get("cluster")}
	instance := hello.Instance
	if err := h.Control.Admit(hello); err != nil {
		h.Log.Info("telemetry refused", "instance", instance, "err", err)
		refuse(w, err)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		h.Log.Info("handshake failed", "instance", instance, "err", err)
		return
	}
	conn.SetReadLimit(maxFrame)
	ctx, leave := h.publish(ctx, instance)
	defer leave()
	err = h.telemetry(ctx, conn, instance)
	conn.Close(websocket.StatusGoingAway, "") //nolint:errcheck // it may be gone already
	h.Log.Debug("telemetry ended", "instance", instance, "why", err)
}

// telemetry acks every publication after it is handed on, and sends heartbeats so that the agent knows that somebody listens.
func (h *Hub) telemetry(ctx context.Context, conn *websocket.Conn, i arn.Instance) error {
	replies := make(chan acsproto.Message)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		heartbeat := time.NewTicker(h.Heartbeat)
		defer heartbeat.Stop()
		for {
			var m acsproto.Message
			select {
			case <-ctx.Done():
				return ctx.Err()
			case m = <-replies:
			case <-heartbeat.C:
				m = acsproto.Heartbeat{Healthy: true}
			}
			if err := send(ctx, conn, m); err != nil {
				return err
			}
		}
	})
	g.Go(func() error {
		for {
			m, err := receive(ctx, conn)
			if err != nil {
				return fmt.Errorf("receive: %w", err)
			}
			reply := ackOf(m)
			if reply == nil {
				h.Log.Debug("message ignored", "instance", i, "type", m.Type())
				continue
			}
			h.sums.publications.Add(1)
			h.Control.Telemetry(ctx, i, m)
			if err := hand(ctx, replies, reply); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

func ackOf(m acsproto.Message) acsproto.Message {
	switch m.(type) {
	case acsproto.PublishMetrics:
		return acsproto.AckPublishMetric{}
	case acsproto.PublishHealth:
		return acsproto.AckPublishHealth{}
	case acsproto.PublishInstanceStatus:
		return acsproto.AckPublishInstanceStatus{}
	}
	return nil
}
