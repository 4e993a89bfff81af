package sessions

import (
	"context"
	"fmt"
	"sync"

	"berth/internal/agent"
	"berth/internal/session"
)

// chunk is how much is read at a time.
const chunk = 16 << 10

// notStarted is how the user is told that a command could not be started, as with ECS Exec.
const notStarted = "----------ERROR-------\nUnable to start command: %w"

// shell starts a session's command in its container.
func (s *Sessions) shell(ctx context.Context, a agent.Session) (*far, error) {
	words, err := session.Words(a.Command)
	if err == nil && len(words) == 0 {
		err = fmt.Errorf("the command is empty")
	}
	if err != nil {
		return nil, fmt.Errorf(notStarted, err)
	}
	p, err := s.Engine.Exec(ctx, a.RuntimeID, words)
	if err != nil {
		return nil, fmt.Errorf(notStarted, err)
	}
	output, done, quit := make(chan piece), make(chan struct{}), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() { defer close(done); show(p, output, quit) })
	log := s.Log.With("session", a.ID)
	return &far{
		output: output, done: done,
		take: func(ctx context.Context, in session.In) {
			if err := give(ctx, p, in); err != nil && ctx.Err() == nil {
				log.Debug("a session's command does not take what it is sent", "err", err)
			}
		},
		end: func(ctx context.Context) session.End {
			code, err := p.Exit(ctx)
			if err != nil {
				log.Info("exit code of a session's command", "err", err)
				return session.End{}
			}
			return session.End{ExitCode: &code}
		},
		close: func() {
			close(quit)
			if err := p.Close(); err != nil {
				log.Warn("a session's command may run on", "err", err)
			}
			reading.Wait()
		},
	}, nil
}

// show passes on what a process shows until it ends, or quit is closed.
func show(p agent.Process, output chan<- piece, quit <-chan struct{}) {
	for {
		b := make([]byte, chunk)
		n, err := p.Read(b)
		if n > 0 {
			select {
			case output <- piece{session.Data, b[:n]}:
			case <-quit:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// give gives a process what the client has sent.
func give(ctx context.Context, p agent.Process, in session.In) error {
	switch in.Payload {
	case session.Data:
		_, err := p.Write(in.Data)
		return err
	case session.Size:
		return p.Resize(ctx, in.Terminal.Cols, in.Terminal.Rows)
	}
	return nil
}
