// Package exec tests sessions in real containers with the Session Manager plugin as it is.
package exec

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/moby/moby/api/types/container"

	"berth/e2e/site"
	"berth/internal/acs"
	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/docker"
	"berth/internal/agent/sessions"
	"berth/internal/arn"
	"berth/internal/relay"
)

const image = "berth-test/exec:1"

// world is a relay, an agent's sessions and an engine.
type world struct {
	relay   *relay.Relay
	url     string
	id      string // of the container
	plugin  string
	records chan relay.Record
}

func start(t *testing.T) *world {
	t.Helper()
	e, err := docker.Open("", fmt.Sprint("test-exec-", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if _, err := e.Machine(t.Context()); err != nil {
		t.Skipf("no container engine: %v", err)
	}
	w := &world{plugin: site.Plugin(t), records: make(chan relay.Record, 1)}
	w.id = busybox(t, e)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	serving := &sessions.Sessions{Engine: e, Log: log, Dial: func(ctx context.Context, id, host string, port int32) (net.Conn, error) {
		found, err := e.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		return sessions.Within(ctx, found.PID, host, port)
	}}
	ctx, cancel := context.WithCancel(context.Background())
	w.relay = relay.New(relay.Config{Log: log, Ended: func(_ context.Context, r relay.Record) { w.records <- r }, Tell: func(i arn.Instance, m acsproto.Exec) error {
		join := func(ctx context.Context) (*websocket.Conn, error) {
			q := url.Values{"sessionId": {m.Session}, "containerInstanceArn": {string(i)}}
			c, _, err := websocket.Dial(ctx, w.url+acs.ChannelPath+"?"+q.Encode(), nil)
			return c, err
		}
		go serving.Serve(ctx, agent.Session{ID: m.Session, RuntimeID: m.RuntimeID, Command: m.Command, Port: m.Port, Host: m.Host, Properties: m.Properties}, join)
		return nil
	}})
	ran := make(chan error, 1)
	go func() { ran <- w.relay.Run(ctx) }()
	mux := http.NewServeMux()
	mux.HandleFunc(relay.ClientPath, w.relay.ServeClient)
	mux.HandleFunc(acs.ChannelPath, w.relay.ServeAgent)
	srv := httptest.NewServer(mux)
	w.url = srv.URL
	t.Cleanup(func() { cancel(); <-ran; srv.Close() })
	return w
}

// busybox runs a container that does nothing but serve a port on its loopback device: it says what it is told.
func busybox(t *testing.T, e *docker.Engine) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	config := docker.ImageConfig{Links: []string{"/bin/sh", "/bin/sleep", "/bin/nc", "/bin/cat", "/bin/stty"}, Cmd: []string{"/bin/sh"}}
	if err := e.ImportImage(ctx, image, "/bin/busybox", config); err != nil {
		t.Fatal(err)
	}
	id, err := e.Create(ctx, agent.Spec{
		Name:       fmt.Sprintf("berth-test-exec-%d-%d", os.Getpid(), time.Now().UnixNano()),
		Config:     &container.Config{Image: image, Cmd: []string{"/bin/sh", "-c", "nc -ll -p 8080 -e cat"}},
		HostConfig: &container.HostConfig{NetworkMode: "none", Init: new(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Remove(ctx, id); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(ctx, id); err != nil {
		t.Fatal(err)
	}
	return id
}

// open opens a session and runs the plugin in it, on a terminal of 100 columns and 30 rows.
func (w *world) open(t *testing.T, r relay.Request) *terminal {
	t.Helper()
	cluster := arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")
	r.Task, r.Instance, r.Container, r.RuntimeID, r.Prefix, r.LogGroup = cluster.Task("t"), cluster.Instance("i"), "app", w.id, "ecs-execute-command-", "audit"
	ticket, err := w.relay.Open(r)
	for n := 0; errors.Is(err, relay.ErrNotRunning) && n < 100; n++ { // Run has only begun
		time.Sleep(10 * time.Millisecond)
		ticket, err = w.relay.Open(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	response, err := json.Marshal(map[string]string{
		"SessionId": ticket.ID, "TokenValue": ticket.Token, "StreamUrl": strings.Replace(w.url, "http", "ws", 1) + relay.ClientPath + ticket.ID + "?role=publish_subscribe",
	})
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(w.plugin, string(response), "us-east-1", "StartSession", "", `{"Target":"ecs:demo_t_r"}`, w.url)
	c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true")
	return run(t, c, 100, 30)
}

func (w *world) record(t *testing.T) relay.Record {
	t.Helper()
	select {
	case r := <-w.records:
		return r
	case <-time.After(30 * time.Second):
		t.Fatal("the session has no record")
		return relay.Record{}
	}
}

func TestShell(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Command: "/bin/sh"})
	x.sees("Starting session with SessionId: ecs-execute-command-")
	x.sees("/ # ") // the prompt
	x.types("echo $((6*7)) is what $TERM shows\r")
	x.sees("42 is what xterm-256color shows")
	x.types("stty size\r")
	x.sees("30 100")
	x.resize(91, 17)
	time.Sleep(time.Second) // the plugin looks twice a second
	x.types("stty size\r")
	x.sees("17 91")
	x.types("sh -c 'trap \"echo interrupted $((40+4)); exit\" INT; echo begun $((20+1)); while :; do sleep 1; done'\r")
	x.sees("begun 21")
	x.types("\x03") // a signal to the plugin, which sends it on in its own time
	x.sees("interrupted 44")
	x.types("exit 3\r")
	x.sees("Exiting session with sessionId: ecs-execute-command-")
	if err := x.ends(); err != nil { // also on AWS, whatever the command exits with
		t.Error(err)
	}
	r := w.record(t)
	if !r.Joined || r.ExitCode == nil || *r.ExitCode != 3 || !strings.Contains(string(r.Transcript), "42 is what") {
		t.Errorf("recorded %+v", r)
	}
}

// Much output comes whole and in order.
func TestMuchOutput(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Command: `sh -c 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end of it'`})
	x.sees("end of it")
	if err := x.ends(); err != nil {
		t.Error(err)
	}
	screen, next := bufio.NewScanner(strings.NewReader(x.screen())), 0
	for screen.Scan() {
		if strings.TrimSpace(screen.Text()) == fmt.Sprint("line ", next) {
			next++
		}
	}
	if next != 20000 {
		t.Errorf("line %d is missing", next)
	}
	w.record(t)
}

func TestNoSuchCommand(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Command: "/no/such/command"})
	x.sees("no such file or directory")
	if err := x.ends(); err != nil {
		t.Error(err)
	}
	w.record(t)
}

// The plugin is killed: what it had started ends.
func TestClientIsKilled(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Command: "sh"})
	x.sees("/ # ")
	x.kill()
	if r := w.record(t); !r.Joined || r.ExitCode != nil {
		t.Errorf("recorded %+v", r)
	}
}

var openedPort = regexp.MustCompile(`Port (\d+) opened`)

func TestPort(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Port: 8080})
	x.sees("opened for sessionId")
	port := openedPort.FindStringSubmatch(x.screen())
	if port == nil {
		t.Fatal(x.screen())
	}
	var open []net.Conn
	for range 3 { // at once
		c, err := net.DialTimeout("tcp", "localhost:"+port[1], 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	for n, c := range open {
		text := strings.Repeat(fmt.Sprint("hello ", n, " "), 10_000) + "\n"
		go write(c, text) //nolint:errcheck // reading tells
		if line, err := bufio.NewReader(c).ReadString('\n'); line != text {
			t.Errorf("connection %d: %d of %d bytes, %v", n, len(line), len(text), err)
		}
	}
	x.types("\x03")
	x.sees("Exiting session with sessionId")
	if err := x.ends(); err != nil {
		t.Error(err)
	}
	w.record(t)
}

// The port of another host, as the container sees it.
func TestPortOfAHost(t *testing.T) {
	w := start(t)
	x := w.open(t, relay.Request{Port: 8080, Host: "localhost"})
	x.sees("opened for sessionId")
	port := openedPort.FindStringSubmatch(x.screen())
	if port == nil {
		t.Fatal(x.screen())
	}
	c, err := net.DialTimeout("tcp", "localhost:"+port[1], 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := errors.Join(c.SetDeadline(time.Now().Add(30*time.Second)), write(c, "hello\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); line != "hello\n" {
		t.Errorf("%q, %v", line, err)
	}
	x.types("\x03")
	if err := x.ends(); err != nil {
		t.Error(err)
	}
	w.record(t)
}

func write(c net.Conn, text string) error {
	_, err := c.Write([]byte(text))
	return err
}
