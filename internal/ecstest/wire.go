package ecstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// wire is one party's way to the replicas: it dials one after another, and fails on demand.
type wire struct {
	dial func(ctx context.Context, try int) (net.Conn, error)

	mu     sync.Mutex
	tries  int
	conns  map[*conn]bool
	lose   int // answers to lose: what was asked is done, the asker hears nothing
	lost   int // answers so far
	repeat int // requests to send twice
}

func newWire(first int, dial func(context.Context, int) (net.Conn, error)) *wire {
	return &wire{dial: dial, tries: first, conns: map[*conn]bool{}}
}

// client uses the wire for HTTP. Requests of the client are lost and repeated as the wire says; websockets are not requests.
func (w *wire) client() *http.Client {
	return &http.Client{Transport: &lossy{w, &http.Transport{DialContext: w.DialContext, DisableCompression: true}}}
}

// DialContext is for http.Transport.
func (w *wire) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	w.mu.Lock()
	try := w.tries
	w.tries++
	w.mu.Unlock()
	raw, err := w.dial(ctx, try)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, wire: w, closed: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
	return c, nil
}

// cut breaks all connections and loses what is on its way.
func (w *wire) cut() {
	w.mu.Lock()
	var all []*conn
	for c := range w.conns {
		all = append(all, c)
	}
	clear(w.conns)
	w.mu.Unlock()
	for _, c := range all {
		if x, ok := c.Conn.(interface{ Cut() }); ok {
			x.Cut()
		}
	}
}

// freeze makes the open connections dead without anybody hearing of it: what is written vanishes, nothing arrives.
func (w *wire) freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		c.frozen = true
	}
}

func (w *wire) loseNext(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose += n
}

func (w *wire) repeatNext(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.repeat += n
}

func (w *wire) heal() {
	w.mu.Lock()
	w.lose, w.repeat = 0, 0
	w.mu.Unlock()
}

// doubt says that an answer may have been lost by other means.
func (w *wire) doubt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost++
}

// lossless reports whether no answer was ever lost.
func (w *wire) lossless() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost == 0
}

// conn is a connection that can be frozen. frozen is guarded by the wire's mu.
type conn struct {
	net.Conn
	wire   *wire
	frozen bool
	closed chan struct{} // by this end
	once   sync.Once
}

func (c *conn) isFrozen() bool {
	c.wire.mu.Lock()
	defer c.wire.mu.Unlock()
	return c.frozen
}

func (c *conn) Write(p []byte) (int, error) {
	if c.isFrozen() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *conn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if !c.isFrozen() || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if err != nil { // the other end has closed: a frozen line does not tell, until a deadline or our own end does
			c.wait()
			return 0, net.ErrClosed
		}
	}
}

// wait is how long a dead connection takes to be noticed below, unless its own end closes it.
func (c *conn) wait() {
	select {
	case <-c.closed:
	case <-time.After(2 * time.Minute):
	}
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.wire.mu.Lock()
	delete(c.wire.conns, c)
	c.wire.mu.Unlock()
	return c.Conn.Close()
}

// lossy loses answers and repeats requests.
type lossy struct {
	wire *wire
	next http.RoundTripper
}

var errLost = errors.New("the connection was lost while waiting for the answer")

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Upgrade") != "" || r.Body == nil {
		return l.next.RoundTrip(r)
	}
	l.wire.mu.Lock()
	lose, repeat := l.wire.lose > 0, l.wire.repeat > 0
	if lose {
		l.wire.lose--
		l.wire.lost++
	}
	if repeat {
		l.wire.repeat--
	}
	l.wire.mu.Unlock()
	if !lose && !repeat {
		return l.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body.Close() //nolint:errcheck // it is read
	send := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return l.next.RoundTrip(again)
	}
	resp, err := send()
	if err == nil && repeat {
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // the second answer counts
		resp.Body.Close()              //nolint:errcheck // read
		resp, err = send()
	}
	if err == nil && lose {
		io.Copy(io.Discard, resp.Body) //nolint:errcheck // it is lost
		resp.Body.Close()              //nolint:errcheck // read
		return nil, errLost
	}
	return resp, err
}
