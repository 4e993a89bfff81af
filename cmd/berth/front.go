package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// front is what the listener serves: at first that the replica is starting, then the replica.
type front struct{ now atomic.Pointer[http.Handler] }

func (f *front) set(h http.Handler) { f.now.Store(&h) }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*f.now.Load()).ServeHTTP(w, r) }

// waiting answers everything with why the replica does not serve, in the form of the service that is asked for. The process itself is well.
func waiting(why string) http.Handler {
	door := frontdoor.New(frontdoor.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }) //nolint:errcheck // nobody to tell
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "not ready: "+why, http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { door.Refuse(w, r, apierr.Unavailable("%s", why)) })
	return mux
}

// replicaKey marks, in a request's context, that a replica has forwarded it.
type replicaKey struct{}

func fromReplica(r *http.Request) bool { return r.Context().Value(replicaKey{}) != nil }

// gate stands before everything: it knows with whom a connection is, and believes only a replica in what it says of a caller.
type gate struct {
	door   http.Handler
	acs    turnstile
	tcs    turnstile
	refuse func(http.ResponseWriter, *http.Request, *apierr.Error)
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protocol := ""
	if r.TLS = tlsOf(r); r.TLS != nil {
		protocol = r.TLS.NegotiatedProtocol
	}
	switch {
	case protocol == replicaProtocol:
		g.door.ServeHTTP(w, unwrap(r))
		return
	case protocol == joinProtocol && r.URL.Path != membersPath:
		http.NotFound(w, r)
		return
	}
	r.Header.Del(schemeHeader)
	r.Header.Del(callerHeader)
	if t := g.turnstile(r); t != nil && !t.pass(r.Context()) {
		g.refuse(w, r, apierr.Unavailable("Too many agents connect at once. Try again."))
		return
	}
	g.door.ServeHTTP(w, r)
}

func (g *gate) turnstile(r *http.Request) *turnstile {
	switch r.URL.Path {
	case "/acs/ws":
		return &g.acs
	case "/tcs/ws":
		return &g.tcs
	}
	return nil
}

// unwrap makes of a forwarded request what it was for the replica that took it in.
func unwrap(r *http.Request) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), replicaKey{}, true))
	if caller := r.Header.Get(callerHeader); caller != "" {
		r.RemoteAddr = caller
	}
	if r.Header.Get(schemeHeader) != "https" {
		r.TLS = nil
	}
	r.Header.Del(schemeHeader)
	r.Header.Del(callerHeader)
	return r
}

// The rate at which a replica lets agents connect, sockets a second, after a first rush. When a leader goes, all agents come at once: they
// wait here rather than be refused. 5,000 are through in 16 seconds.
const (
	admitRate  = 300
	admitRush  = 200
	admitLimit = 25 * time.Second // an agent gives up after 30
)

// turnstile lets callers pass at a bounded rate, in the order they come.
type turnstile struct {
	mu   sync.Mutex
	next time.Time // when the next one passes
}

// pass waits for the caller's turn. It reports false when that would take too long, or ctx ends.
func (t *turnstile) pass(ctx context.Context) bool {
	const each = time.Second / admitRate
	t.mu.Lock()
	now := time.Now()
	if rush := now.Add(-admitRush * each); t.next.Before(rush) {
		t.next = rush
	}
	wait := t.next.Sub(now)
	if wait > admitLimit {
		t.mu.Unlock()
		return false
	}
	t.next = t.next.Add(each)
	t.mu.Unlock()
	if wait <= 0 {
		return true
	}
	return pauseFor(ctx, wait)
}
