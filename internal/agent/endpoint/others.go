package endpoint

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"

	"berth/internal/agent"
)

// Peers are where the other agents of this machine listen for containers.
type Peers interface {
	Peers(ctx context.Context) []netip.AddrPort
}

// others asks the other agents.
type others struct {
	peers  Peers
	client *http.Client
}

// The headers between agents: one asks for a container that is not its own, and the other says that it does not know it either.
const (
	askedHeader   = "Berth-Asked-By-Agent"
	unknownHeader = "Berth-Unknown-Id"
)

// mostAnswer is how long another agent's answer may be, in bytes.
const mostAnswer = 8 << 20

func newOthers(p Peers) *others {
	if p == nil {
		return nil
	}
	return &others{p, agent.PeerClient()}
}

// answer passes the answer of the agent on that knows what is asked about. It reports false where none does.
func (o *others) answer(w http.ResponseWriter, r *http.Request, body []byte) bool {
	for _, p := range o.peers.Peers(r.Context()) {
		if o.ask(w, r, body, p) {
			return true
		}
	}
	return false
}

func (o *others) ask(w http.ResponseWriter, r *http.Request, body []byte, peer netip.AddrPort) bool {
	to, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+peer.String()+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return false
	}
	to.Header.Set(askedHeader, "1")
	if kind := r.Header.Get("Content-Type"); kind != "" {
		to.Header.Set("Content-Type", kind)
	}
	answer, err := o.client.Do(to)
	if err != nil { // it is about to start, or has just ended
		return false
	}
	defer answer.Body.Close()
	if answer.Header.Get(unknownHeader) != "" || answer.StatusCode == http.StatusTooManyRequests {
		return false
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	w.Write(b) //nolint:errcheck // the container is gone then
	return true
}

// holder is where an agent is that has a key; not valid where none has it.
func (o *others) holder(ctx context.Context, key string) netip.AddrPort {
	for _, p := range o.peers.Peers(ctx) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.String()+keysPath+url.PathEscape(key), http.NoBody)
		if err != nil {
			continue
		}
		r.Header.Set(askedHeader, "1")
		answer, err := o.client.Do(r)
		if err != nil { // it is about to start, or has just ended
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusNoContent {
			return p
		}
	}
	return netip.AddrPort{}
}

// at sends requests for the control plane to another agent, which passes them on.
func (o *others) at(peer netip.AddrPort) sender {
	return func(r *http.Request) (*http.Response, error) {
		r.URL.Scheme, r.URL.Host = "http", peer.String()
		r.Header.Set(askedHeader, "1")
		return o.client.Transport.RoundTrip(r)
	}
}
