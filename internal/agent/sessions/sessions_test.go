package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"berth/internal/agent"
	"berth/internal/pipenet"
	"berth/internal/session"
)

// engine runs one process, which echoes what it is sent and exits with 7 at "exit".
type engine struct {
	refuse error
	mu     sync.Mutex
	ran    []string
	sizes  []string
	closed bool
	reader *io.PipeReader
	writer *io.PipeWriter
}

func (e *engine) Exec(_ context.Context, id string, command []string) (agent.Process, error) {
	e.ran = append([]string{id}, command...)
	e.reader, e.writer = io.Pipe()
	return e, e.refuse
}

func (e *engine) Read(b []byte) (int, error) { return e.reader.Read(b) }

func (e *engine) Write(b []byte) (int, error) {
	if string(b) == "exit" {
		e.writer.Write([]byte("bye")) //nolint:errcheck // the test sees it
		return len(b), e.writer.Close()
	}
	return e.writer.Write(b)
}

func (e *engine) Resize(_ context.Context, cols, rows uint32) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sizes = append(e.sizes, fmt.Sprintf("%dx%d", cols, rows))
	return nil
}

func (e *engine) Exit(context.Context) (int, error) { return 7, nil }

func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	return e.writer.Close()
}

// client is the plugin, with the relay's end of the agent's socket.
type client struct {
	t     *testing.T
	conn  *websocket.Conn
	next  int64
	shown string
	end   *session.End
}

// serve runs a session and returns its client, after the handshake.
func serve(t *testing.T, s *Sessions, a agent.Session) *client {
	t.Helper()
	network, conns := pipenet.New(), make(chan *websocket.Conn, 1)
	gone := make(chan struct{})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		conns <- c
		<-gone
	})}
	go srv.Serve(network) //nolint:errcheck // ends with Close
	transport := &http.Transport{DialContext: network.Dial}
	ctx, cancel := context.WithCancel(t.Context())
	s.Log = slog.New(slog.DiscardHandler)
	var serving sync.WaitGroup
	serving.Go(func() {
		s.Serve(ctx, a, func(ctx context.Context) (*websocket.Conn, error) {
			c, _, err := websocket.Dial(ctx, "http://berth/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
			return c, err
		})
	})
	c := &client{t: t, conn: <-conns}
	t.Cleanup(func() {
		cancel()
		c.conn.CloseNow() //nolint:errcheck // it may be closed
		serving.Wait()
		close(gone)
		transport.CloseIdleConnections()
		srv.Close()
		network.Close()
	})
	c.until(func(m session.Message) bool { return m.Payload == session.HandshakeComplete })
	return c
}

// until reads and acknowledges messages until one is as wanted, or the session has ended.
func (c *client) until(wanted func(session.Message) bool) {
	c.t.Helper()
	for {
		kind, b, err := c.conn.Read(c.t.Context())
		if err != nil {
			c.t.Fatalf("%v after %q", err, c.shown)
		}
		if kind == websocket.MessageText {
			if err := json.Unmarshal(b, &c.end); err != nil {
				c.t.Fatal(err)
			}
			c.conn.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // the agent goes too
			return
		}
		m, err := session.Decode(b)
		if err != nil {
			c.t.Fatal(err)
		}
		if m.Kind != session.Output {
			continue
		}
		c.write(session.Message{Kind: session.Acknowledge, Flags: 3, Content: fmt.Appendf(nil, `{"AcknowledgedMessageSequenceNumber":%d}`, m.Sequence)})
		switch m.Payload {
		case session.HandshakeRequest:
			c.send(session.HandshakeResponse, `{"ClientVersion":"1.3.0.0"}`)
		case session.Data:
			c.shown += string(m.Content)
		}
		if wanted(m) {
			return
		}
	}
}

func (c *client) send(p session.Payload, content string) {
	c.write(session.Message{Kind: session.Input, Sequence: c.next, Payload: p, Content: []byte(content)})
	c.next++
}

func (c *client) write(m session.Message) {
	c.conn.Write(c.t.Context(), websocket.MessageBinary, m.Encode()) //nolint:errcheck // reading tells
}

func (c *client) sees(text string) {
	c.t.Helper()
	c.until(func(session.Message) bool { return strings.Contains(c.shown, text) })
}

// ends reads to the session's end.
func (c *client) ends() session.End {
	c.t.Helper()
	for c.end == nil {
		c.until(func(session.Message) bool { return false })
	}
	synctest.Wait()
	return *c.end
}

func TestShell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		c := serve(t, &Sessions{Engine: e}, agent.Session{ID: "s", RuntimeID: "r", Command: `sh -c 'a b'`})
		c.send(session.Size, `{"cols":80,"rows":24}`)
		c.send(session.Data, "hello")
		c.sees("hello")
		long := strings.Repeat("long ", 100_000)
		go e.writer.Write([]byte(long)) //nolint:errcheck // the client sees it
		c.sees(long)
		c.send(session.Data, "exit")
		if end := c.ends(); end.Output != "" || end.ExitCode == nil || *end.ExitCode != 7 || !strings.HasSuffix(c.shown, "bye") {
			t.Errorf("it ended with %+v after %q", end, c.shown[max(0, len(c.shown)-10):])
		}
		if fmt.Sprintf("%q", e.ran) != `["r" "sh" "-c" "a b"]` || fmt.Sprint(e.sizes) != "[80x24]" || !e.closed {
			t.Errorf("ran %q, sizes %v, closed %t", e.ran, e.sizes, e.closed)
		}
	})
}

func TestEnds(t *testing.T) {
	for name, test := range map[string]struct {
		do     func(c *client)
		output string
	}{
		"terminated": {func(c *client) { c.send(session.Flag, string(session.TerminateSession.Bytes())) }, ""},
		"idle":       {func(*client) { time.Sleep(session.Idle + time.Second) }, session.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &engine{}
				c := serve(t, &Sessions{Engine: e}, agent.Session{Command: "sh"})
				test.do(c)
				if end := c.ends(); end.Output != test.output || end.ExitCode != nil || !e.closed {
					t.Errorf("%+v, closed %t", end, e.closed)
				}
			})
		})
	}
}

// Whoever types or is shown something is not idle.
func TestNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, &Sessions{Engine: &engine{}}, agent.Session{Command: "sh"})
		for i := range 5 {
			time.Sleep(session.Idle - time.Minute)
			text := fmt.Sprint("word ", i)
			c.send(session.Data, text)
			c.sees(text)
		}
		if c.end != nil {
			t.Errorf("it ended: %+v", *c.end)
		}
	})
}

// The client goes: the process does too.
func TestConnectionIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		c := serve(t, &Sessions{Engine: e}, agent.Session{Command: "sh"})
		c.conn.CloseNow() //nolint:errcheck // it is open
		synctest.Wait()
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.closed {
			t.Error("the process runs on")
		}
	})
}

func TestNotStarted(t *testing.T) {
	for command, s := range map[string]*Sessions{
		"/no/such": {Engine: &engine{refuse: errors.New("no such file")}}, "sh 'x": {Engine: &engine{}}, " ": {Engine: &engine{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := serve(t, s, agent.Session{Command: command})
			if end := c.ends(); !strings.HasPrefix(end.Output, "----------ERROR-------\nUnable to start command: ") || end.ExitCode != nil {
				t.Errorf("%s: %+v", command, end)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := serve(t, &Sessions{}, agent.Session{Port: 80})
		if end := c.ends(); end.Output == "" {
			t.Error("a port is forwarded by nobody")
		}
	})
}

func TestPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := make(chan net.Conn, 3)
		dial := func(_ context.Context, id string, port int32) (net.Conn, error) {
			if id != "r" || port != 8080 {
				t.Errorf("dialled %s %d", id, port)
			}
			near, distant := net.Pipe()
			servers <- distant
			return near, nil
		}
		c := serve(t, &Sessions{Dial: dial}, agent.Session{RuntimeID: "r", Port: 8080})
		b := make([]byte, 100)
		for round := range 2 {
			server := <-servers
			server.Write([]byte("greeting")) //nolint:errcheck // the client sees it
			c.sees("greeting")
			c.shown = ""
			c.send(session.Data, "question")
			if n, err := server.Read(b); string(b[:n]) != "question" {
				t.Errorf("%q, %v", b[:n], err)
			}
			if round == 0 {
				c.send(session.Flag, string(session.DisconnectToPort.Bytes()))
				if _, err := server.Read(b); !errors.Is(err, io.EOF) {
					t.Errorf("a connection that the client has ended: %v", err)
				}
				continue
			}
			server.Write([]byte("end")) //nolint:errcheck // the client sees it
			server.Close()
		}
		if end := c.ends(); end.Output != "" || c.shown != "end" {
			t.Errorf("%+v after %q", end, c.shown)
		}
	})
}
