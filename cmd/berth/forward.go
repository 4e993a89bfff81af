package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"time"

	"berth/internal/apierr"
)

// forward returns who serves what only the leader can: nil if this replica leads. The bytes and the Host stay as they are, since the
// caller's signature covers them, and the leader verifies again.
func (s *server) forward(r *http.Request) http.Handler {
	if s.store.Leading() {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	address, err := s.store.Leader(ctx)
	target, perr := url.Parse(address)
	if err != nil || perr != nil || address == "" || s.store.Leading() {
		return nil // admitRequest says in the service's protocol that there is no leader
	}
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			s.log.Warn("forward to the leader failed", "leader", address, "err", err)
			e := apierr.Unavailable("The leader of the control plane did not answer. Try again.")
			http.Error(w, `{"__type":"`+e.Code+`","message":"`+e.Message+`"}`, e.Status)
		},
	}
}

// addPprof serves profiles, for `go tool pprof`.
func addPprof(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
}
