package docker_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"berth/internal/agent"
)

// until reads what a process shows until it has shown a text.
func until(t *testing.T, p agent.Process, text string) (shown string) {
	t.Helper()
	watchdog := time.AfterFunc(20*time.Second, func() { p.Close() }) // ends the reading
	defer watchdog.Stop()
	b := make([]byte, 1024)
	for !strings.Contains(shown, text) {
		n, err := p.Read(b)
		shown += string(b[:n])
		if err != nil {
			t.Fatalf("%v after %q, want %q", err, shown, text)
		}
	}
	return shown
}

func typed(t *testing.T, p agent.Process, text string) {
	t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		t.Fatal(err)
	}
}

func TestExec(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, false, "sleep 600")
	p, err := e.Exec(t.Context(), id, []string{"sh"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	typed(t, p, "echo $((6*7)) $TERM\r")
	until(t, p, "42 xterm-256color")
	if err := p.Resize(t.Context(), 91, 17); err != nil {
		t.Error(err)
	}
	typed(t, p, "stty size\r")
	until(t, p, "17 91")
	typed(t, p, "\x10\x11\x15echo detached is $((1+1)) not\r") // Control-P Control-Q
	until(t, p, "detached is 2 not")
	typed(t, p, "exit 3\r")
	if _, err := io.Copy(io.Discard, p); err != nil {
		t.Error(err)
	}
	if code, err := p.Exit(t.Context()); code != 3 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A session that is closed leaves no process behind, not even one that does not want to end.
func TestExecIsClosed(t *testing.T) {
	e := open(t)
	id := runLogging(t, e, false, "sleep 600")
	p, err := e.Exec(t.Context(), id, []string{"sh", "-c", "trap '' HUP TERM; echo pid is $$; while true; do sleep 1; done"})
	if err != nil {
		t.Fatal(err)
	}
	until(t, p, "pid is")
	before := processes(t, e, id)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if after := processes(t, e, id); strings.Contains(after, "trap") || !strings.Contains(before, "trap") {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// processes are those of a container.
func processes(t *testing.T, e agent.Execs, id string) string {
	t.Helper()
	p, err := e.Exec(t.Context(), id, []string{"sh", "-c", "ps -o args"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	b, err := io.ReadAll(p)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	return string(b)
}

func TestExecRefusals(t *testing.T) {
	e := open(t)
	if _, err := e.Exec(t.Context(), "nobody", []string{"sh"}); !errors.Is(err, agent.ErrNotFound) {
		t.Errorf("in no container: %v", err)
	}
	id := runLogging(t, e, false, "sleep 600")
	p, err := e.Exec(t.Context(), id, []string{"/no/such/program"})
	if err != nil { // newer engines refuse at once
		return
	}
	defer p.Close()
	done := time.AfterFunc(20*time.Second, func() { p.Close() })
	defer done.Stop()
	b, _ := io.ReadAll(p) //nolint:errcheck // how it ends does not matter
	if !strings.Contains(string(b), "no such file or directory") {
		t.Errorf("it shows %q", b)
	}
	if code, err := p.Exit(t.Context()); code != 126 && code != 127 || err != nil {
		t.Errorf("exit code %d, %v", code, err)
	}
}
