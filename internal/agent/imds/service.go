// Package imds serves EC2 instance metadata to containers of EC2 mode: what a container instance is, and the credentials of its role, as at 169.254.169.254 on
// AWS, version 2 of its protocol and, where that is allowed, version 1.
package imds

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"

	"berth/internal/agent"
)

// Source tells whose container is at an address, and what its instance's role is. The agent does.
type Source interface {
	HostAt(ctx context.Context, vpc string, address netip.Addr) (agent.Host, error)
	InstanceRole(ctx context.Context, instance string) (agent.InstanceRole, error)
}

var _ Source = (*agent.Agent)(nil)

// Config is what a Service needs.
type Config struct {
	Source Source
	// Optional lets containers ask without a token, as version 1 of the protocol does. Else these are answered 401.
	Optional bool
	// Machine is this machine's address and that of its interface. It is asked each time; what is not known is zero. nil: nothing is.
	Machine func() (netip.Addr, net.HardwareAddr)
	// Peers are the other agents of this machine, which are asked about containers on the bridge that are not this one's. nil: there are none.
	Peers func() []Peer
	// Key is what the other agents show when they ask. "": none may.
	Key string
}

// Peer is another agent of this machine: where it serves instance metadata, and the key to show it.
type Peer struct {
	At  netip.AddrPort
	Key string
}

// Service serves instance metadata.
type Service struct {
	Config
	tokens   tokens
	others   *http.Client
	callers  *callers
	hostname string
}

// New returns a service. Its tokens are good at no other one.
func New(c Config) *Service {
	if c.Machine == nil {
		c.Machine = func() (a netip.Addr, m net.HardwareAddr) { return a, m }
	}
	s := &Service{Config: c, others: agent.PeerClient(), callers: newCallers()}
	rand.Read(s.tokens.key[:])    //nolint:errcheck // it never fails
	s.hostname, _ = os.Hostname() // "" where it is not known
	return s
}

// Handler serves those who ask in a VPC, or on the engine's bridge where vpc is "". Who gets no metadata is not answered at all: the connection is closed.
func (s *Service) Handler(vpc string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, vpc) })
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, vpc string) {
	address, asked := s.caller(r)
	if !asked && !s.callers.allow(vpc, address) {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	host, err := s.Source.HostAt(r.Context(), vpc, address)
	switch {
	case err == nil:
		s.answer(w, r, host)
	case asked:
		tellPeer(w, err)
	case errors.Is(err, agent.ErrNoHost) && vpc == "" && s.askPeers(w, r, address):
	default:
		panic(http.ErrAbortHandler) // the connection is closed
	}
}

// caller is the address that a request comes from: as another agent says that shows the key, which asked tells, and else as it came.
func (s *Service) caller(r *http.Request) (address netip.Addr, asked bool) {
	if key := r.Header.Get(keyHeader); key != "" && s.Key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.Key)) == 1 {
		address, _ = netip.ParseAddr(r.Header.Get(callerHeader)) // what is none is nobody's
		return address, true
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return at.Addr().Unmap(), false
}
