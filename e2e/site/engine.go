package site

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Engine is the machine's container engine behind a socket of the test's, on which its answers can be late, stand still and be lost.
type Engine struct {
	Address string // "unix://..."

	listener net.Listener
	stop     context.CancelFunc
	lines    sync.WaitGroup

	mu      sync.Mutex
	late    time.Duration
	lost    float64       // the share of answers whose connection ends instead
	held    chan struct{} // closed when answers go on; nil while they do
	stopped context.Context
}

// NewEngine opens the socket.
func NewEngine(t testing.TB) *Engine {
	t.Helper()
	const real = "/var/run/docker.sock"
	if err := exec.Command("docker", "version").Run(); err != nil {
		t.Fatalf("no container engine answers (make deps starts it): %v", err)
	}
	path := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{Address: "unix://" + path, listener: l}
	e.stopped, e.stop = context.WithCancel(context.Background())
	e.lines.Go(func() {
		for {
			caller, err := l.Accept()
			if err != nil {
				return
			}
			e.lines.Go(func() { e.relay(caller, real) })
		}
	})
	t.Cleanup(func() {
		e.stop()
		l.Close()
		e.lines.Wait()
	})
	return e
}

// relay passes a connection on: what is asked at once, what is answered as the mode says.
func (e *Engine) relay(caller net.Conn, to string) {
	engine, err := net.Dial("unix", to)
	if err != nil {
		caller.Close()
		return
	}
	end := sync.OnceFunc(func() { caller.Close(); engine.Close() })
	defer end()
	defer context.AfterFunc(e.stopped, end)()
	var asked sync.WaitGroup
	asked.Go(func() {
		_, _ = io.Copy(engine, caller)          // until one of them ends
		_ = engine.(*net.UnixConn).CloseWrite() // what was asked may still be answered
	})
	b := make([]byte, 64<<10)
	for {
		n, err := engine.Read(b)
		if err != nil || e.hold() != nil {
			break
		}
		if _, err := caller.Write(b[:n]); err != nil {
			break
		}
	}
	end()
	asked.Wait()
}

var errLost = errors.New("the answer is lost")

// hold keeps an answer for as long as the mode says.
func (e *Engine) hold() error {
	e.mu.Lock()
	late, lost, held := e.late, e.lost, e.held
	e.mu.Unlock()
	if lost > 0 && rand.Float64() < lost {
		return errLost
	}
	if held != nil {
		select {
		case <-held:
		case <-e.stopped.Done():
			return e.stopped.Err()
		}
	}
	select {
	case <-time.After(late):
		return nil
	case <-e.stopped.Done():
		return e.stopped.Err()
	}
}

func (e *Engine) set(late time.Duration, lost float64, held bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.late, e.lost = late, lost
	if e.held != nil {
		close(e.held)
		e.held = nil
	}
	if held {
		e.held = make(chan struct{})
	}
}

// Late makes every answer come so much later.
func (e *Engine) Late(by time.Duration) { e.set(by, 0, false) }

// Lose ends the connection of a share of the answers instead of passing them on, after the engine has done what was asked.
func (e *Engine) Lose(share float64) { e.set(0, share, false) }

// Stall keeps all answers until another mode is set.
func (e *Engine) Stall() { e.set(0, 0, true) }

// Heal lets the engine be as quick as it is.
func (e *Engine) Heal() { e.set(0, 0, false) }
