package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coder/websocket"

	"berth/internal/session"
)

// exchange carries a session. Its run goroutine owns the channel; a reader and a feeder work beside it.
type exchange struct {
	channel *session.Channel
	conn    *websocket.Conn
	frames  chan []byte     // from the client; closed when its connection has gone
	inputs  chan session.In // to what the session is for
	log     *slog.Logger

	pending piece       // shown and not sent yet
	next    *session.In // taken and not fed yet
	active  time.Time   // when either end said something
	over    bool        // what the session is for has ended
}

var errGone = errors.New("the connection to the control plane has gone")

// read reads the client's messages until the connection or ctx ends.
func (x *exchange) read(ctx context.Context) {
	defer close(x.frames)
	for {
		kind, b, err := x.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageBinary {
			continue
		}
		select {
		case x.frames <- b:
		case <-ctx.Done():
			return
		}
	}
}

// feed gives what the client has sent to what the session is for.
func (x *exchange) feed(ctx context.Context, to *far) {
	for {
		select {
		case in := <-x.inputs:
			to.take(ctx, in)
		case <-ctx.Done():
			return
		}
	}
}

// shake waits for the handshake. A session that ends with it has an end.
func (x *exchange) shake(ctx context.Context) (*session.End, error) {
	late := time.Now().Add(handshakeTime)
	for x.channel.Version() == "" {
		if err := x.flush(ctx); err != nil {
			return nil, err
		}
		if time.Now().After(late) {
			return &session.End{Output: "The client did not answer the handshake."}, nil
		}
		if end, err := x.step(ctx, nil, late); end != nil || err != nil {
			return end, err
		}
	}
	return nil, nil
}

// run carries the session until it ends.
func (x *exchange) run(ctx context.Context, to *far) (session.End, error) {
	x.active = time.Now()
	for {
		if err := x.flush(ctx); err != nil {
			return session.End{}, err
		}
		idle := x.active.Add(session.Idle)
		if !time.Now().Before(idle) {
			return session.End{Output: session.TimedOut}, nil
		}
		end, err := x.step(ctx, to, idle)
		switch {
		case err != nil:
			return session.End{}, err
		case end != nil:
			return *end, nil
		case x.over:
			x.settle(ctx)
			return to.end(ctx), nil
		}
		if terminated := x.move(); terminated {
			return session.End{}, nil
		}
	}
}

// step waits for one thing to happen, until late at most, and takes it in.
func (x *exchange) step(ctx context.Context, to *far, late time.Time) (*session.End, error) {
	var output <-chan piece
	var done <-chan struct{}
	var inputs chan<- session.In
	var in session.In
	if to != nil && len(x.pending.data) == 0 && x.channel.Room() > 0 {
		output, done = to.output, to.done
	}
	if to != nil && x.next != nil {
		inputs, in = x.inputs, *x.next
	}
	if due := x.channel.Due(); !due.IsZero() && due.Before(late) {
		late = due
	}
	timer := time.NewTimer(time.Until(late))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case f, ok := <-x.frames:
		if !ok {
			return nil, errGone
		}
		return x.received(f), nil
	case <-done:
		x.over = true
	case p := <-output:
		x.pending, x.active = p, time.Now()
	case inputs <- in:
		x.next = nil
	case <-timer.C:
		if err := x.channel.Tick(time.Now()); err != nil {
			return &session.End{Output: err.Error()}, nil
		}
	}
	return nil, nil
}

// received takes a message of the client in. It ends the session where there can be none with this client.
func (x *exchange) received(frame []byte) *session.End {
	err := x.channel.Receive(frame, time.Now())
	switch {
	case err == nil:
	case errors.Is(err, session.ErrMalformed):
		x.log.Debug("message of a session left out", "err", err)
	default:
		return &session.End{Output: err.Error()}
	}
	return nil
}

// move moves on what waits, as far as there is room. It reports whether the client has ended the session.
func (x *exchange) move() (terminated bool) {
	now := time.Now()
	if len(x.pending.data) > 0 {
		x.pending.data = x.pending.data[x.channel.Send(x.pending.payload, x.pending.data, now):]
	}
	if x.next != nil {
		return false
	}
	in, ok, err := x.channel.Next(now)
	if err != nil {
		x.log.Debug("message of a session left out", "err", err)
	}
	if !ok {
		return false
	}
	x.active = now
	if in.Payload == session.Flag && in.Flag == session.TerminateSession {
		return true
	}
	x.next = &in
	return false
}

// settle waits until the client has acknowledged all, but not for long.
func (x *exchange) settle(ctx context.Context) {
	late := time.Now().Add(settleTime)
	for x.flush(ctx) == nil && !x.channel.Settled() && time.Now().Before(late) {
		if end, err := x.step(ctx, nil, late); end != nil || err != nil {
			return
		}
	}
}

// flush writes what the channel has to say.
func (x *exchange) flush(ctx context.Context) error {
	for _, f := range x.channel.Frames() {
		if err := x.write(ctx, f); err != nil {
			return fmt.Errorf("send to the control plane: %w", err)
		}
	}
	return nil
}

func (x *exchange) write(ctx context.Context, f []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	return x.conn.Write(ctx, websocket.MessageBinary, f)
}
