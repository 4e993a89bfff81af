package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/registry"
	"berth/internal/state/etcd"
)

// forwarder passes to the leader what only the leader can do. The bytes and the Host stay as they are, since the caller's signature covers
// them, and the leader verifies again. Replicas know each other by mutual TLS, and only over that is a caller's address believed.
type forwarder struct {
	backend *etcd.Backend
	name    string // this replica's
	leading func() bool
	trust   *atomic.Pointer[trust]
	serve   http.Handler                                            // what becomes ours while it waits is served here
	refuse  func(http.ResponseWriter, *http.Request, *apierr.Error) // in the form of the service
	log     *slog.Logger

	transport *http.Transport
	proxy     *httputil.ReverseProxy
	relays    sync.WaitGroup
	closing   context.Context // ends when sessions are to go elsewhere
	endAll    context.CancelFunc

	mu  sync.Mutex
	now *route
}

// route is the way to one leader.
type route struct {
	etcd.Leader
	host    string          // "" while there is no leader
	changed <-chan struct{} // closed when another route takes its place
	ended   context.Context // ends a moment after that: answers that are on their way have come by then
}

const (
	// patience is how long a request waits for a leader. What was sent to one is never sent again.
	patience = 10 * time.Second
	// linger is how long a leader that leads no more may still answer what it was sent.
	linger = time.Second
	// acceptTime is how long a client may take to accept a part of a layer.
	acceptTime = time.Minute
)

// The headers by which a replica tells the leader of the caller. From anybody else they mean nothing.
const (
	schemeHeader    = "X-Berth-Scheme"
	callerHeader    = "X-Berth-Caller"
	notLeaderHeader = "X-Berth-Not-Leader"
)

// newForwarder completes a forwarder of which the upper fields are set.
func newForwarder(f *forwarder) *forwarder {
	f.transport = &http.Transport{
		DialTLSContext: f.dial, DisableCompression: true, MaxIdleConnsPerHost: 256, MaxIdleConns: 512, IdleConnTimeout: 90 * time.Second,
	}
	f.proxy = &httputil.ReverseProxy{Transport: f, Rewrite: rewrite, ErrorHandler: f.failed, ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug)}
	f.closing, f.endAll = context.WithCancel(context.Background())
	f.now = &route{ended: f.closing}
	return f
}

// Run follows who leads until ctx ends.
func (f *forwarder) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		leader, changed := f.backend.Seen()
		ended, end := context.WithCancel(context.WithoutCancel(ctx))
		rt := &route{Leader: leader, changed: changed, ended: ended}
		if u, err := url.Parse(leader.Address); err == nil {
			rt.host = u.Host
		}
		f.mu.Lock()
		f.now = rt
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			end()
		case <-changed:
			time.AfterFunc(linger, end)
		}
	}
	f.transport.CloseIdleConnections()
	return nil
}

func (f *forwarder) route() *route {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// forward returns who serves what only the leader can: nil if this replica leads.
func (s *server) forward(r *http.Request) http.Handler {
	switch {
	case s.store.Leading():
		return nil
	case fromReplica(r):
		return http.HandlerFunc(notLeader)
	}
	return s.forwarder
}

// notLeader tells another replica that it has come to the wrong one, and that nothing was done.
func notLeader(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(notLeaderHeader, "yes")
	w.WriteHeader(http.StatusMisdirectedRequest)
}

// forwarded is a request on its way, with what is needed to send it again or to serve it here.
type forwarded struct {
	request *http.Request
	body    []byte
	flow    *flow // a body that is not kept, nil for one that is
}

// atLeader serves requests that do not come through the door, which serves all others: here where this replica leads, and otherwise by the leader.
func atLeader(door http.Handler, forward func(*http.Request) http.Handler, ours func(*http.Request) bool, here http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours(r) {
			door.ServeHTTP(w, r)
			return
		}
		if leader := forward(r); leader != nil {
			leader.ServeHTTP(w, r)
			return
		}
		here.ServeHTTP(w, r)
	})
}

// flow is a body that is sent as it comes. It can be sent once.
type flow struct {
	io.Reader
	begun atomic.Bool
}

func (f *flow) Read(b []byte) (int, error) {
	f.begun.Store(true)
	return f.Reader.Read(b)
}

type forwardedKey struct{}

// maxForward bounds the body of what is forwarded. The front door's own limit is lower.
const maxForward = 4 << 20

// ServeHTTP forwards a request.
func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		f.relay(w, r)
		return
	}
	if ofRegistry(r) {
		f1 := &forwarded{request: r, flow: &flow{Reader: registry.Patient(w, r)}}
		f.proxy.ServeHTTP(frontdoor.Punctual(w, acceptTime), r.WithContext(context.WithValue(r.Context(), forwardedKey{}, f1)))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForward))
	if err != nil {
		f.refuse(w, r, apierr.New("IncompleteBody", "The request body could not be read.").Because(err))
		return
	}
	ctx := context.WithValue(r.Context(), forwardedKey{}, &forwarded{request: r, body: body})
	f.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// rewrite undoes what the proxy does to a request that it should leave alone, and tells of the caller.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.RawQuery, p.Out.Host = "https", p.In.URL.RawQuery, p.In.Host
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := p.In.Header[h]; ok {
			p.Out.Header[h] = v
		}
	}
	introduce(p.Out.Header, p.In)
}

// introduce tells the leader who the caller is.
func introduce(h http.Header, in *http.Request) {
	scheme := "http"
	if in.TLS != nil {
		scheme = "https"
	}
	h.Set(schemeHeader, scheme)
	h.Set(callerHeader, in.RemoteAddr)
}

var (
	errOurs     = errors.New("this replica leads now")
	errNoLeader = errors.New("the control plane has no leader")
	errEnded    = errors.New("the leader was replaced before it answered")
)

// unsent is the error of a request of which nothing was sent.
type unsent struct{ error }

func (e *unsent) Unwrap() error { return e.error }

// RoundTrip sends a request to the leader. As long as nothing of it was sent, or the one that got it did nothing because it does not lead, it
// waits for the next leader.
func (f *forwarder) RoundTrip(out *http.Request) (*http.Response, error) {
	f1 := out.Context().Value(forwardedKey{}).(*forwarded) // put there by ServeHTTP
	var resp *http.Response
	err := f.try(out.Context(), func(rt *route) (again bool, err error) {
		ctx, cancel := context.WithCancelCause(out.Context())
		unlink := context.AfterFunc(rt.ended, func() { cancel(errEnded) })
		defer unlink()
		resp, err = f.transport.RoundTrip(f1.outgoing(ctx, out, rt.host))
		switch {
		case err == nil && resp.Header.Get(notLeaderHeader) != "":
			resp.Body.Close()
			return !f1.spent(), &unsent{errors.New("it does not lead")}
		case err != nil && errors.Is(context.Cause(ctx), errEnded):
			return false, errEnded
		}
		return errors.As(err, new(*unsent)) && !f1.spent(), err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// outgoing is a copy for one try.
func (f1 *forwarded) outgoing(ctx context.Context, out *http.Request, host string) *http.Request {
	try := out.WithContext(ctx)
	u := *out.URL
	u.Host = host
	try.URL = &u
	switch {
	case f1.flow != nil && out.ContentLength != 0:
		try.Body = io.NopCloser(f1.flow)
	case len(f1.body) > 0:
		try.Body = io.NopCloser(bytes.NewReader(f1.body))
	default:
		try.Body = http.NoBody
	}
	return try
}

// spent says whether the body was read and is gone: then the request cannot be sent again.
func (f1 *forwarded) spent() bool { return f1.flow != nil && f1.flow.begun.Load() }

// try calls send with one leader after another until it is done or patience is over.
func (f *forwarder) try(ctx context.Context, send func(*route) (again bool, err error)) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	last := errNoLeader
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if f.leading() {
			return errOurs
		}
		rt := f.route()
		if rt.host != "" && rt.Replica != f.name {
			again, err := send(rt)
			if !again {
				return err
			}
			last = fmt.Errorf("the leader at %s: %w", rt.host, err)
		}
		select {
		case <-rt.changed:
		case <-time.After(pause):
		case <-deadline.C:
			return last
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// dial connects to another replica.
func (f *forwarder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	t := f.trust.Load()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &unsent{err}
	}
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 2 * time.Second}, Config: t.authority.Connect(t.own, host, replicaProtocol)}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, &unsent{err}
	}
	return c, nil
}

// failed answers what could not be forwarded, or serves what has become this replica's own.
func (f *forwarder) failed(w http.ResponseWriter, out *http.Request, err error) {
	f1 := out.Context().Value(forwardedKey{}).(*forwarded)
	r := f1.request
	if f1.flow == nil {
		r.Body = io.NopCloser(bytes.NewReader(f1.body))
	}
	f.answer(w, r, err)
}

func (f *forwarder) answer(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errOurs) {
		f.serve.ServeHTTP(w, r)
		return
	}
	f.log.Warn("a request was not forwarded to the leader", "path", r.URL.Path, "err", err)
	message := "The leader of the control plane did not answer; whether the request was done is not known. Try again."
	if errors.Is(err, errNoLeader) || errors.As(err, new(*unsent)) {
		message = "The control plane has no leader right now. Try again."
	}
	f.refuse(w, r, apierr.Unavailable("%s", message).Because(err))
}

// addPprof serves profiles, for `go tool pprof`.
func addPprof(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
}
