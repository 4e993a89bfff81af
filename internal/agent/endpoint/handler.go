package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"

	"berth/internal/agent"
)

// Callers finds the task for which a container asks. The agent does.
type Callers interface {
	Caller(id string) (agent.Caller, bool)
}

// Tasks tells of tasks. The agent does.
type Tasks interface {
	Seen(ctx context.Context, id string) (*agent.Seen, bool)
	SeenAt(ctx context.Context, vpc string, address netip.Addr) (*agent.Seen, bool)
	ClockReading() (agent.Clock, bool)
}

// Machine is what containers ask about.
type Machine interface {
	Callers
	Tasks
	Vaults
	Planes
}

var _ Machine = (*agent.Agent)(nil)

// Handler serves what containers ask. peers, where it is not nil, are the other agents of this machine, which are asked about ids that are not this
// one's. Who asks for one thing more than 40 times a second, after 60 at once, is answered 429, as by the official agent; the control plane has limits of its
// own for calls of its APIs.
func Handler(m Machine, peers Peers) http.Handler {
	h := handler{callers: m, tasks: m, vaults: m, planes: m, others: newOthers(peers)}
	mux := http.NewServeMux()
	own := func(pattern string, f http.HandlerFunc) { mux.Handle(pattern, h.own(h.isDoor, f)) }
	for _, pattern := range []string{"GET /v2/credentials/{id}", "GET /v2/credentials", "GET /v2/credentials/{$}", "GET /v1/credentials"} {
		mux.Handle(pattern, h.own(h.isVault, h.getCredentials))
	}
	own("GET /api/{id}/task-protection/v1/state", h.getProtection)
	own("PUT /api/{id}/task-protection/v1/state", h.putProtection)
	for v, prefix := range map[version]string{3: "/v3/{id}", 4: "/v4/{id}"} {
		own(prefix, func(w http.ResponseWriter, r *http.Request) { h.container(w, r, v) })
		own(prefix+"/task", func(w http.ResponseWriter, r *http.Request) { h.task(w, r, v, false) })
		own(prefix+"/taskWithTags", func(w http.ResponseWriter, r *http.Request) { h.task(w, r, v, true) })
		own(prefix+"/stats", func(w http.ResponseWriter, r *http.Request) { h.containerStats(w, r, v) })
		own(prefix+"/task/stats", func(w http.ResponseWriter, r *http.Request) { h.taskStats(w, r, v) })
		own(prefix+"/associations/{type}", func(w http.ResponseWriter, r *http.Request) { h.associations(w, r, v) })
		own(prefix+"/associations/{type}/{name...}", func(w http.ResponseWriter, r *http.Request) { h.association(w, r, v) })
	}
	for _, slash := range []string{"", "/{$}"} {
		mux.HandleFunc("/v2/metadata"+slash, h.task2(false))
		mux.HandleFunc("/v2/metadataWithTags"+slash, h.task2(true))
		mux.HandleFunc("/v2/stats"+slash, h.taskStats2)
	}
	mux.HandleFunc("/v2/metadata/{container...}", h.container2)
	mux.HandleFunc("/v2/stats/{container...}", h.containerStats2)
	mux.HandleFunc("GET "+keysPath+"{id}", h.holdsKey)
	all := http.NewServeMux()
	all.HandleFunc("POST /{$}", h.callAPI)
	all.Handle("/", limited(mux, newBuckets()))
	return all
}

type handler struct {
	callers Callers
	tasks   Tasks
	vaults  Vaults
	planes  Planes
	others  *others
}

const (
	mostBody = 64 << 10 // bytes
)

// vpcKey marks, in a request's context, the VPC in whose network it was asked.
type vpcKey struct{}

func vpcOf(r *http.Request) string {
	vpc, _ := r.Context().Value(vpcKey{}).(string)
	return vpc
}

// own serves the ids that are this agent's. What is asked about others is asked of the machine's other agents: on the network of the machine one of
// them answers for the containers of all.
func (h handler) own(known func(r *http.Request) bool, f http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if known(r) || h.others == nil || vpcOf(r) != "" {
			f(w, r)
			return
		}
		if r.Header.Get(askedHeader) != "" { // by another agent, which wants to know
			w.Header().Set(unknownHeader, "1")
			f(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		if err == nil && h.others.answer(w, r, body) {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f(w, r)
	})
}

func (h handler) isDoor(r *http.Request) bool {
	_, known := h.callers.Caller(r.PathValue("id"))
	return known
}

func (h handler) isVault(r *http.Request) bool {
	_, known := h.vaults.Credentials(credentialsID(r))
	return known
}

// say answers with JSON, without a line's end, as the official agent does.
func say(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the container is gone then
}

// caller's address, not valid where it is none.
func addressOf(r *http.Request) (netip.Addr, string) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, host
	}
	return a.Unmap(), host
}
