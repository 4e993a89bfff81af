package imds

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"

	"berth/internal/agent"
)

// The headers between agents: one asks for the container at an address and shows the other's key, and that one says that it does not know the container, or that
// it gets nothing.
const (
	keyHeader    = "Berth-Agent-Key"
	callerHeader = "Berth-Caller"
	noHostHeader = "Berth-No-Host"
)

const (
	unknownHost = "unknown"
	blockedHost = "blocked"
)

// mostAnswer is how long another agent's answer may be, in bytes.
const mostAnswer = 1 << 20

// tellPeer says to another agent why its container is not answered.
func tellPeer(w http.ResponseWriter, err error) {
	why := blockedHost
	if errors.Is(err, agent.ErrNoHost) {
		why = unknownHost
	}
	w.Header().Set(noHostHeader, why)
	w.WriteHeader(http.StatusNotFound)
}

// askPeers passes the answer of the agent on whose container it is. It reports false where there is none.
func (s *Service) askPeers(w http.ResponseWriter, r *http.Request, address netip.Addr) bool {
	if s.Peers == nil {
		return false
	}
	for _, p := range s.Peers() {
		if p.At.IsValid() && s.askPeer(w, r, address, p) {
			return true
		}
	}
	return false
}

func (s *Service) askPeer(w http.ResponseWriter, r *http.Request, address netip.Addr, p Peer) bool {
	to, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+p.At.String()+r.URL.EscapedPath(), nil)
	if err != nil {
		return false
	}
	for _, name := range []string{tokenHeader, lifetimeHeader, "X-Forwarded-For"} {
		if list, has := r.Header[name]; has {
			to.Header[name] = list
		}
	}
	to.Header.Set(keyHeader, p.Key)
	to.Header.Set(callerHeader, address.String())
	answer, err := s.others.Do(to)
	if err != nil { // it has just ended
		return false
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	switch answer.Header.Get(noHostHeader) {
	case unknownHost:
		return false
	case blockedHost:
		panic(http.ErrAbortHandler) // as if it were ours
	}
	if err != nil {
		return false
	}
	for _, name := range []string{"Content-Type", "Server", "Cache-Control", lifetimeHeader} {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(answer.StatusCode)
	w.Write(b) //nolint:errcheck // the container is gone then
	return true
}

// The rate at which one address may ask, and of how many addresses it is kept.
const (
	askRate     = 100
	askBurst    = 200
	mostCallers = 4096
)

// callers limit each address.
type callers struct {
	mu   sync.Mutex
	kept map[string]*rate.Limiter // by VPC and address
}

func newCallers() *callers { return &callers{kept: map[string]*rate.Limiter{}} }

func (c *callers) allow(vpc string, address netip.Addr) bool {
	key := vpc + " " + address.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.kept[key]
	if one == nil {
		if len(c.kept) >= mostCallers { // all begin anew: there are not that many on a machine
			clear(c.kept)
		}
		one = rate.NewLimiter(askRate, askBurst)
		c.kept[key] = one
	}
	return one.Allow()
}
