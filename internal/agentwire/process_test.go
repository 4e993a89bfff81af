package agentwire

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a real berth server with its own data directory.
type process struct {
	berth, data, address string
	server               *exec.Cmd
	log                  bytes.Buffer // of the running server; read only after its end
}

// TestProcess holds a real berth server, with its durable store, to the same.
func TestProcess(t *testing.T) {
	p := build(t)
	hold(t, p.start(t))
}

// build builds the program and finds a free address for it.
func build(t *testing.T) *process {
	t.Helper()
	dir := t.TempDir()
	p := &process{berth: filepath.Join(dir, "berth"), data: filepath.Join(dir, "data")}
	build := exec.Command("go", "build", "-o", p.berth, "../../cmd/berth")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

// start runs the server until the test ends and waits until it is ready.
func (p *process) start(t *testing.T) *world {
	t.Helper()
	p.run(t)
	t.Cleanup(func() {
		p.end(t, syscall.SIGTERM)
		if t.Failed() {
			b := p.log.Bytes()
			t.Logf("the server's log ends:\n%s", b[max(0, len(b)-8000):])
		}
	})
	key := p.administrator(t)
	w := &world{
		dial: func() (net.Conn, error) { return net.Dial("tcp", p.address) }, host: p.address,
		admin: key,
	}
	w.join = w.joinByToken
	return w
}

// administrator reads the key that the first leader writes down: a replica is ready before it leads.
func (p *process) administrator(t *testing.T) Keys {
	t.Helper()
	k := Keys{Region: "us-east-1"}
	for limit := Limit(); ; time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(p.data, "credentials.json"))
		if err == nil {
			err = json.Unmarshal(b, &k)
		}
		if err == nil {
			return k
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
	}
}

func (p *process) run(t *testing.T) {
	t.Helper()
	p.log.Reset()
	p.server = exec.Command(p.berth, "server", "--data", p.data, "--listen", p.address, "--account", testAccount)
	p.server.Stdout, p.server.Stderr = &p.log, &p.log
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	for limit := Limit(); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get("http://" + p.address + "/readyz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(limit) {
			p.end(t, syscall.SIGKILL)
			t.Fatalf("the server does not get ready:\n%s", p.log.Bytes())
		}
	}
}

// end ends the server by a signal and waits for it.
func (p *process) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.server.Process.Signal(signal); err != nil {
		t.Errorf("signal %v: %v", signal, err)
	}
	err := p.server.Wait()
	if signal == syscall.SIGTERM && err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// joinByToken makes a token and trades it for a credential, as another machine does.
func (w *world) joinByToken(t *testing.T, cluster string) Keys {
	t.Helper()
	k := w.admin
	k.Service = "berth"
	c := w.client(t, k)
	answer, err := c.Send(c.Request("Berth_20261124.CreateJoinToken", Object{{"cluster", cluster}}.JSON(As)))
	if err != nil {
		t.Fatal(err)
	}
	var token struct{ Token string }
	if err := json.Unmarshal(answer.Body, &token); err != nil || token.Token == "" {
		t.Fatalf("token: %v: %s", err, answer.Body)
	}
	r, err := http.Post("http://"+w.host+"/berth/v1/join", "application/json", strings.NewReader(`{"Token":"`+token.Token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var out struct{ AccessKeyID, SecretAccessKey, Region string }
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil || out.AccessKeyID == "" {
		t.Fatalf("join: %s: %v", r.Status, err)
	}
	return Keys{AccessKeyID: out.AccessKeyID, SecretAccessKey: out.SecretAccessKey, Region: out.Region}
}

// The server is killed and comes back: agents reconnect with what they know, the manifest is newer than all that they have seen, what was
// not acked or not reported is told, and nothing runs twice.
func TestKilledServer(t *testing.T) {
	p := build(t)
	s := p.start(t).stage(t)
	a := s.connected()
	runs, over, acked := s.task(a), s.task(a), s.task(a)
	s.running(a, runs)
	s.stopped(a, over)
	lost := s.start(a, s.definition(nil))
	s.next(a, "PayloadMessage") // not acked
	telemetry, err := a.OpenTCS()
	s.ok(err)
	p.end(t, syscall.SIGKILL)
	for _, socket := range []*Socket{a.ACS, telemetry} {
		if code := s.ended(socket); !ordinary(code) {
			s.Errorf("ended with %d", code)
		}
	}
	if err := a.Connect(); err == nil {
		s.Error("connected to a server that was killed")
	}
	p.run(t)
	s.admin.Close()
	a.Client.Close()
	s.await("the agent's back-off finds a leader", func() bool { return a.Connect() == nil })
	m, err := a.Until("TaskManifestMessage")
	s.ok(err)
	s.is("the manifest's tasks", len(m.Listed), 3)
	for told := map[string]bool{}; !told[lost] || !told[acked]; {
		m, err := a.Until("PayloadMessage")
		s.ok(err)
		for _, task := range m.Tasks {
			told[task.ARN] = true
			if task.ARN == runs || task.ARN == over {
				s.Errorf("told again: %s", task.ARN)
			}
		}
	}
	for task, want := range map[string]string{runs: "RUNNING", over: "STOPPED", acked: "PENDING", lost: "PENDING"} {
		s.is(task, at(s.described(task), "lastStatus"), want)
	}
	s.running(a, lost)
	s.is("runningTasksCount", at(s.instance(a), "runningTasksCount"), 2)
	s.is("agentConnected", at(s.instance(a), "agentConnected"), true)
}
