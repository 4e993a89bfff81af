package sessions

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/xtaci/smux"

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
	t       *testing.T
	conn    *websocket.Conn
	version string
	next    int64
	shown   string
	flags   []session.FlagValue
	end     *session.End
}

// serve runs a session and returns its client, after the handshake.
func serve(t *testing.T, s *Sessions, a agent.Session) *client {
	t.Helper()
	return serveOld(t, s, a, "1.3.0.0")
}

// serveOld is serve with a client of a version.
func serveOld(t *testing.T, s *Sessions, a agent.Session, version string) *client {
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
	c := &client{t: t, conn: <-conns, version: version}
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
			c.send(session.HandshakeResponse, `{"ClientVersion":"`+c.version+`"}`)
		case session.Data:
			c.shown += string(m.Content)
		case session.Flag:
			c.flags = append(c.flags, session.FlagValue(binary.BigEndian.Uint32(m.Content)))
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

// A client that cannot multiplex has one connection at a time.
func TestPortOfOldClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := make(chan net.Conn, 3)
		dial := func(_ context.Context, id, host string, port int32) (net.Conn, error) {
			if id != "r" || port != 8080 {
				t.Errorf("dialled %s %d", id, port)
			}
			near, distant := net.Pipe()
			servers <- distant
			return near, nil
		}
		c := serveOld(t, &Sessions{Dial: dial}, agent.Session{RuntimeID: "r", Port: 8080}, "1.1.61.0")
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

// stream is the client's end of what is multiplexed.
type stream struct{ *client }

func (s stream) Read(b []byte) (int, error) {
	if s.shown == "" {
		s.until(func(session.Message) bool { return s.shown != "" })
	}
	if s.end != nil {
		return 0, io.EOF
	}
	n := copy(b, s.shown)
	s.shown = s.shown[n:]
	return n, nil
}

func (s stream) Write(b []byte) (int, error) {
	for piece := b; len(piece) > 0; piece = piece[min(1024, len(piece)):] {
		s.send(session.Data, string(piece[:min(1024, len(piece))]))
	}
	return len(b), nil
}

func (s stream) Close() error { return nil }

// Connections of a client are independent of each other, and their ends end no session.
func TestPorts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dialled atomic.Int32
		dial := func(context.Context, string, string, int32) (net.Conn, error) {
			near, distant := net.Pipe()
			if dialled.Add(1) == 3 {
				return nil, errors.New("refused")
			}
			go func() { // it says everything twice, and closes at "end"
				defer distant.Close()
				b := make([]byte, 4096)
				for {
					n, err := distant.Read(b)
					if err != nil || string(b[:n]) == "end" {
						return
					}
					fmt.Fprintf(distant, "%s%s", b[:n], b[:n])
				}
			}()
			return near, nil
		}
		c := serve(t, &Sessions{Dial: dial}, agent.Session{Port: 80})
		config := smux.DefaultConfig()
		config.KeepAliveDisabled = true
		mux, err := smux.Client(stream{c}, config)
		if err != nil {
			t.Fatal(err)
		}
		open := func() *smux.Stream {
			s, err := mux.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		first, second := open(), open()
		b := make([]byte, 100)
		for n, s := range []*smux.Stream{first, second, first} {
			fmt.Fprint(s, "word ", n)
			if got, err := io.ReadFull(s, b[:12]); err != nil || string(b[:got]) != fmt.Sprintf("word %dword %d", n, n) {
				t.Errorf("%q, %v, %+v", b[:got], err, c.end)
			}
		}
		fmt.Fprint(first, "end")
		if n, err := first.Read(b); err == nil {
			t.Errorf("%q from a connection that the server has ended", b[:n])
		}
		if n, err := open().Read(b); err == nil { // it is refused
			t.Errorf("%q from a connection that there is not", b[:n])
		}
		fmt.Fprint(second, "still here")
		if n, err := io.ReadFull(second, b[:20]); err != nil {
			t.Errorf("%q, %v", b[:n], err)
		}
		synctest.Wait()
		c.send(session.Flag, string(session.TerminateSession.Bytes()))
		synctest.Wait()
		mux.Close()
		if c.end == nil || c.end.Output != "" || len(c.flags) != 1 || c.flags[0] != session.ConnectToPortError {
			t.Errorf("it ended with %+v, flags %v", c.end, c.flags)
		}
	})
}
