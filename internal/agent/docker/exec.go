package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"berth/internal/agent"
)

var _ agent.Execs = (*Engine)(nil)

// detachKeys are what nobody types: the engine would end the connection at Control-P Control-Q.
const detachKeys = "ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-@"

// environment is what a command in a session finds besides its container's own environment, as with ECS Exec.
func environment() []string { return []string{"TERM=xterm-256color", "LANG=C.UTF-8"} }

// Exec implements agent.Execs.
func (e *Engine) Exec(ctx context.Context, containerID string, command []string) (agent.Process, error) {
	made, err := e.api.ExecCreate(ctx, containerID, client.ExecCreateOptions{
		User: "0", TTY: true, AttachStdin: true, AttachStdout: true, AttachStderr: true, DetachKeys: detachKeys, Env: environment(), Cmd: command,
	})
	if err != nil {
		return nil, tell(err)
	}
	attached, err := e.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: true})
	if err != nil {
		return nil, startError(tell(err))
	}
	return &process{engine: e, id: made.ID, stream: attached.HijackedResponse}, nil
}

// process is an exec of the engine.
type process struct {
	engine *Engine
	id     string
	stream client.HijackedResponse
	close  sync.Once
}

// Read and Write are of the process's terminal.
func (p *process) Read(b []byte) (int, error)  { return p.stream.Reader.Read(b) }
func (p *process) Write(b []byte) (int, error) { return p.stream.Conn.Write(b) }

// Resize implements agent.Process.
func (p *process) Resize(ctx context.Context, cols, rows uint32) error {
	_, err := p.engine.api.ExecResize(ctx, p.id, client.ExecResizeOptions{Height: uint(rows), Width: uint(cols)})
	return tell(err)
}

// exitLook and exitPatience: the engine knows the exit code a moment after the stream has ended.
const (
	exitLook     = 20 * time.Millisecond
	exitPatience = 5 * time.Second
)

var errRunning = errors.New("the process runs on")

// Exit implements agent.Process.
func (p *process) Exit(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, exitPatience)
	defer cancel()
	for {
		found, err := p.engine.api.ExecInspect(ctx, p.id, client.ExecInspectOptions{})
		if err != nil {
			return 0, tell(err)
		}
		if !found.Running {
			return found.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, errRunning
		case <-time.After(exitLook):
		}
	}
}

// killAfter is how long a process may take to end that was hung up.
const killAfter = 2 * time.Second

// Close implements agent.Process. The engine does not end an exec whose connection goes, so its processes are sent signals.
func (p *process) Close() (err error) {
	p.close.Do(func() {
		err = p.hangUp()
		p.stream.Close()
	})
	return err
}

func (p *process) hangUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*killAfter)
	defer cancel()
	hungUp := time.Time{}
	for {
		found, err := p.engine.api.ExecInspect(ctx, p.id, client.ExecInspectOptions{})
		if err != nil {
			if errors.Is(tell(err), agent.ErrNotFound) { // with its container
				return nil
			}
			return fmt.Errorf("look at the process of a session: %w", tell(err))
		}
		if !found.Running || found.PID == 0 {
			return nil
		}
		switch {
		case hungUp.IsZero():
			hungUp = time.Now()
			signal(found.PID, syscall.SIGHUP)
		case time.Since(hungUp) > killAfter:
			signal(found.PID, syscall.SIGKILL)
		}
		select {
		case <-ctx.Done():
			return errRunning
		case <-time.After(exitLook):
		}
	}
}

// signal sends a signal to a process that leads the session of its terminal, and to its group.
func signal(pid int, s syscall.Signal) {
	syscall.Kill(-pid, s) //nolint:errcheck // they may be gone
	syscall.Kill(pid, s)  //nolint:errcheck // it may be gone
}
