package relay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/pipenet"
	wire "berth/internal/session"
)

var (
	demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")
	one  = demo.Instance("one")
)

// world is a relay on a network in memory.
type world struct {
	relay *Relay
	net   *pipenet.Network
	http  *http.Client
	stop  func()

	mu      sync.Mutex
	told    []acsproto.Exec
	refuse  error
	records []Record
}

func start(t *testing.T) *world {
	w := &world{net: pipenet.New()}
	w.relay = New(Config{Tell: w.tell, Ended: w.ended})
	mux := http.NewServeMux()
	mux.HandleFunc(ClientPath, w.relay.ServeClient)
	mux.HandleFunc("/agent", w.relay.ServeAgent)
	srv := &http.Server{Handler: mux}
	go srv.Serve(w.net) //nolint:errcheck // ends with Close
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.relay.Run(ctx); close(done) }() //nolint:errcheck // it always ends well
	w.stop = sync.OnceFunc(func() { cancel(); <-done })
	w.http = &http.Client{Transport: &http.Transport{DialContext: w.net.Dial}}
	t.Cleanup(func() { w.stop(); w.http.CloseIdleConnections(); srv.Close(); w.net.Close() })
	synctest.Wait()
	return w
}

func (w *world) tell(_ arn.Instance, m acsproto.Exec) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, m)
	return w.refuse
}

func (w *world) ended(_ context.Context, r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, r)
}

func (w *world) record(t *testing.T) Record {
	t.Helper()
	time.Sleep(10 * time.Second) // an agent that does not read is closed without its consent
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) != 1 {
		t.Fatalf("%d records", len(w.records))
	}
	return w.records[0]
}

func (w *world) open(t *testing.T) Ticket {
	t.Helper()
	ticket, err := w.relay.Open(Request{Task: demo.Task("t"), Instance: one, Container: "app", RuntimeID: "r", Command: "sh", Prefix: "ecs-execute-command-", Caller: "me", LogGroup: "g"})
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func (w *world) dial(t *testing.T, path string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "http://berth"+path, &websocket.DialOptions{HTTPClient: w.http})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() }) //nolint:errcheck // it may be closed
	return c
}

func (w *world) client(t *testing.T, ticket Ticket) *websocket.Conn {
	t.Helper()
	c := w.dial(t, ClientPath+ticket.ID+"?role=publish_subscribe")
	b, err := json.Marshal(wire.Hello{MessageSchemaVersion: "1.0", TokenValue: ticket.Token})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, b); err != nil {
		t.Fatal(err)
	}
	return c
}

func agentPath(id string) string {
	return "/agent?" + url.Values{"sessionId": {id}, "containerInstanceArn": {string(one)}}.Encode()
}

func hear(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	_, b, err := c.Read(t.Context())
	if err != nil || string(b) != want {
		t.Errorf("heard %q, %v, want %q", b, err, want)
	}
}

// goodbye reads the last words, and that nothing follows.
func goodbye(t *testing.T, c *websocket.Conn, want string) {
	t.Helper()
	_, b, err := c.Read(t.Context())
	if err != nil {
		t.Errorf("no last words: %v", err)
		return
	}
	m, err := wire.Decode(b)
	if err != nil || m.Kind != wire.ChannelClosed || !strings.Contains(string(m.Content), `"Output":"`+want+`"`) {
		t.Errorf("last words %s, %v, want %q", m.Content, err, want)
	}
	if _, b, err := c.Read(t.Context()); err == nil {
		t.Errorf("after the last words: %q", b)
	}
}

func say(t *testing.T, c *websocket.Conn, kind websocket.MessageType, text string) {
	t.Helper()
	if err := c.Write(t.Context(), kind, []byte(text)); err != nil {
		t.Error(err)
	}
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		ticket := w.open(t)
		if !strings.HasPrefix(ticket.ID, "ecs-execute-command-0") || len(ticket.ID) != len("ecs-execute-command-")+17 {
			t.Errorf("id %s", ticket.ID)
		}
		if len(w.told) != 1 || w.told[0].Session != ticket.ID || w.told[0].Container != "app" || w.told[0].Command != "sh" || w.told[0].RuntimeID != "r" {
			t.Errorf("told %+v", w.told)
		}
		client, agent := w.client(t, ticket), w.dial(t, agentPath(ticket.ID))
		out := string(wire.Message{Kind: wire.Output, Sequence: 1, Payload: wire.Data, Content: []byte("hello")}.Encode())
		say(t, agent, websocket.MessageBinary, out)
		hear(t, client, out)
		say(t, agent, websocket.MessageBinary, out) // again
		hear(t, client, out)
		say(t, client, websocket.MessageText, "not passed on")
		say(t, client, websocket.MessageBinary, "input")
		hear(t, agent, "input")
		if _, err := w.relay.Resume(ticket.ID); !errors.Is(err, ErrUnknown) {
			t.Errorf("a joined session is resumed: %v", err)
		}
		say(t, agent, websocket.MessageText, `{"exitCode":3}`)
		goodbye(t, client, "")
		synctest.Wait()
		r := w.record(t)
		if !r.Joined || r.ExitCode == nil || *r.ExitCode != 3 || string(r.Transcript) != "hello" || r.Caller != "me" || r.ID != ticket.ID {
			t.Errorf("recorded %+v", r)
		}
		if _, _, err := websocket.Dial(t.Context(), "http://berth"+agentPath(ticket.ID), &websocket.DialOptions{HTTPClient: w.http}); err == nil {
			t.Error("a session that has ended is joined")
		}
	})
}

func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(t *testing.T, w *world, id string, client, agent *websocket.Conn)
		output string
	}{
		"the agent goes": {func(_ *testing.T, _ *world, _ string, _, agent *websocket.Conn) { agent.CloseNow() }, agentGone}, //nolint:errcheck // it is open
		"the agent says so": {func(t *testing.T, _ *world, _ string, _, a *websocket.Conn) {
			say(t, a, websocket.MessageText, `{"output":"late"}`)
		}, "late"},
		"terminated": {func(t *testing.T, w *world, id string, _, _ *websocket.Conn) {
			if err := w.relay.Terminate(id); err != nil {
				t.Error(err)
			}
		}, ""},
		"silence": {func(*testing.T, *world, string, *websocket.Conn, *websocket.Conn) { time.Sleep(silence + time.Second) }, agentGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				ticket := w.open(t)
				client, agent := w.client(t, ticket), w.dial(t, agentPath(ticket.ID))
				synctest.Wait()
				var talk sync.WaitGroup
				defer talk.Wait()
				defer client.CloseNow() //nolint:errcheck // it may be closed
				if name == "silence" {  // of the agent only
					talk.Go(func() {
						for client.Write(context.Background(), websocket.MessageBinary, []byte("x")) == nil {
							time.Sleep(time.Minute)
						}
					})
					talk.Go(func() {
						for err := error(nil); err == nil; {
							_, _, err = agent.Read(context.Background())
						}
					})
				}
				c.end(t, w, ticket.ID, client, agent)
				goodbye(t, client, c.output)
				synctest.Wait()
				if r := w.record(t); r.Output != c.output || r.ExitCode != nil {
					t.Errorf("recorded %+v", r)
				}
				if err := w.relay.Terminate(ticket.ID); !errors.Is(err, ErrUnknown) {
					t.Errorf("the session is still there: %v", err)
				}
			})
		})
	}
}

// The end of the client ends the agent's connection.
func TestClientGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		ticket := w.open(t)
		client, agent := w.client(t, ticket), w.dial(t, agentPath(ticket.ID))
		synctest.Wait()
		client.CloseNow() //nolint:errcheck // it is open
		if _, _, err := agent.Read(t.Context()); err == nil {
			t.Error("the agent is not told")
		}
		synctest.Wait()
		if r := w.record(t); r.Output != "" || !r.Joined {
			t.Errorf("recorded %+v", r)
		}
	})
}

func TestNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		ticket := w.open(t)
		client := w.client(t, ticket)
		began := time.Now()
		goodbye(t, client, agentAbsent)
		if d := time.Since(began); d != joinTime {
			t.Errorf("after %s", d)
		}
		synctest.Wait()
		if r := w.record(t); r.Joined {
			t.Errorf("recorded %+v", r)
		}
	})
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		ticket := w.open(t)
		resumed, err := w.relay.Resume(ticket.ID)
		if err != nil || resumed.Token == ticket.Token {
			t.Fatalf("%v, %v", resumed, err)
		}
		for _, wrong := range []string{"", "x", ticket.Token, resumed.Token[1:]} {
			c := w.client(t, Ticket{ticket.ID, wrong})
			if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("token %q: %v", wrong, err)
			}
		}
		w.client(t, resumed)
		synctest.Wait()
		c := w.client(t, resumed) // it is spent
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("a spent token: %v", err)
		}
		mute := w.dial(t, ClientPath+w.open(t).ID)
		if _, _, err := mute.Read(t.Context()); err == nil {
			t.Error("a client without a word is kept")
		}
		for _, path := range []string{ClientPath + "x", "/agent?sessionId=x", "/agent?sessionId=" + ticket.ID} {
			if _, _, err := websocket.Dial(t.Context(), "http://berth"+path, &websocket.DialOptions{HTTPClient: w.http}); err == nil {
				t.Errorf("%s is joined", path)
			}
		}
		w.dial(t, agentPath(ticket.ID))
		if _, _, err := websocket.Dial(t.Context(), "http://berth"+agentPath(ticket.ID), &websocket.DialOptions{HTTPClient: w.http}); err == nil {
			t.Error("a second agent joins")
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.refuse = errors.New("not connected")
		req := Request{Task: demo.Task("t"), Instance: one}
		if _, err := w.relay.Open(req); !errors.Is(err, w.refuse) {
			t.Errorf("%v", err)
		}
		w.refuse = nil
		for range mostOfTask {
			if _, err := w.relay.Open(req); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.relay.Open(req); !errors.Is(err, ErrTooMany) {
			t.Errorf("beyond the bound: %v", err)
		}
		w.stop()
		if _, err := w.relay.Open(req); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%v", err)
		}
		if len(w.records) != mostOfTask || len(w.relay.sessions) != 0 {
			t.Errorf("%d records, %d sessions left", len(w.records), len(w.relay.sessions))
		}
	})
}
