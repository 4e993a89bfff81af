package acs

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// executor is a machine whose agent opens sessions in containers.
type executor struct {
	machine
	came chan acsproto.Exec
	join func(context.Context) (*websocket.Conn, error)
}

func (e *executor) Exec(_ context.Context, m acsproto.Exec, join func(context.Context) (*websocket.Conn, error)) {
	e.join = join
	e.came <- m
}

func TestExec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := start(t), &executor{came: make(chan acsproto.Exec, 1)}
		if err := w.hub.Exec(one, acsproto.Exec{Session: "s"}); !errors.Is(err, ErrNotConnected) {
			t.Errorf("an agent without a session: %v", err)
		}
		joined := make(chan *http.Request, 1)
		w.mux.HandleFunc(ChannelPath, func(rw http.ResponseWriter, r *http.Request) {
			joined <- r
			http.Error(rw, "no", http.StatusForbidden)
		})
		ctx, cancel := context.WithCancel(t.Context())
		c, done := w.config("/acs/"), make(chan error, 1)
		go func() { done <- RunAgent(ctx, c, e) }()
		defer func() { cancel(); c.HTTPClient.CloseIdleConnections(); <-done }()
		time.Sleep(time.Second)
		if err := w.hub.Exec(one, acsproto.Exec{Session: "s", Task: "t", Container: "app", Command: "sh"}); err != nil {
			t.Fatal(err)
		}
		m := <-e.came
		if m.Session != "s" || m.Task != "t" || m.Container != "app" || m.Command != "sh" || m.MessageID == "" || m.Cluster == "" || m.ContainerInstance != string(one) {
			t.Errorf("told %+v", m)
		}
		if _, err := e.join(ctx); err == nil {
			t.Error("a refused channel is joined")
		}
		r := <-joined
		if q := r.URL.Query(); q.Get("sessionId") != "s" || q.Get("containerInstanceArn") != string(one) || r.Header.Get("Authorization") == "" {
			t.Errorf("joined by %s, signed %q", r.URL, r.Header.Get("Authorization"))
		}
	})
}

// An agent that cannot open sessions, and one that does not read, harm nobody.
func TestExecIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{}
		w.agent(t, m)
		time.Sleep(time.Second)
		for range 3 {
			if err := w.hub.Exec(one, acsproto.Exec{Session: "s"}); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if w.connected() != 1 {
			t.Errorf("%d connects", w.connected())
		}
		s := newSession(w.hub, nil, one, 1)
		w.hub.mu.Lock()
		w.hub.sessions["full"] = s
		w.hub.mu.Unlock()
		for range mostExecs {
			if err := w.hub.Exec("full", acsproto.Exec{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.hub.Exec("full", acsproto.Exec{}); !errors.Is(err, ErrNotConnected) {
			t.Errorf("beyond the bound: %v", err)
		}
	})
}
