package agent

import (
	"context"
	"io"
	"sync"

	"github.com/coder/websocket"

	"berth/internal/acsproto"
)

// Sessions serves sessions in containers: shells and forwarded ports.
type Sessions interface {
	// Serve joins a session's channel and serves it until it ends or ctx does.
	Serve(ctx context.Context, s Session, join Join)
}

// Join connects to a session's channel at the control plane.
type Join func(context.Context) (*websocket.Conn, error)

// Session is a session in a container. It has a command or a port.
type Session struct {
	ID         string
	Task       string // ARN
	Container  string // by its name in the task
	RuntimeID  string // the engine's
	Command    string
	Port       int32
	Host       string            // whose port it is, "" for the container itself
	Properties map[string]string // for the client
}

// Execs runs commands in running containers.
type Execs interface {
	// Exec starts a command in a container, with a terminal, as root. ErrNotFound: there is no such container. Every other error is the engine's
	// refusal in its own words, or ErrUnavailable.
	Exec(ctx context.Context, containerID string, command []string) (Process, error)
}

// Process is a command that runs in a container. Reading gives what it shows, to io.EOF when it has ended.
type Process interface {
	io.ReadWriter
	Resize(ctx context.Context, cols, rows uint32) error
	// Exit is the exit code of a process that has ended.
	Exit(ctx context.Context) (code int, err error)
	// Close hangs up: the process and what it has started in its terminal are ended, where they still run.
	Close() error
}

// mostOpenings is how many sessions wait to be begun.
const mostOpenings = 16

// opening is a session that is to begin.
type opening struct {
	Session
	join Join
}

// Exec begins a session in a container of the instance's tasks. One in a container that is not there is left out: whoever asked is told by the control
// plane when it is not joined.
func (o *orders) Exec(_ context.Context, m acsproto.Exec, join func(context.Context) (*websocket.Conn, error)) {
	log := o.log.With("session", m.Session, "task", m.Task, "container", m.Container)
	if o.agent.Sessions == nil || !o.hasContainer(m) {
		log.Warn("a session is asked for in a container that does not run here")
		return
	}
	s := Session{ID: m.Session, Task: m.Task, Container: m.Container, RuntimeID: m.RuntimeID, Command: m.Command, Port: m.Port, Host: m.Host, Properties: m.Properties}
	select {
	case o.openings <- opening{s, join}:
	default:
		log.Warn("too many sessions begin at once")
	}
}

// hasContainer says whether a message names a running container of one of the instance's tasks.
func (o *orders) hasContainer(m acsproto.Exec) (has bool) {
	t := o.agent.task(m.Task)
	if t == nil || t.in != o.instance {
		return false
	}
	t.view(func(r *Record) {
		c := r.container(m.Container)
		has = c != nil && c.Phase == Up && c.ID == m.RuntimeID && !hidden(m.Container)
	})
	return has
}

// keepSessions serves the instance's sessions in containers until ctx ends, and waits for them.
func (i *instance) keepSessions(ctx context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-i.openings:
			open.Go(func() { i.agent.Sessions.Serve(ctx, s.Session, s.join) })
		}
	}
}
