package endpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"berth/internal/agent"
)

// Server listens for containers: on the machine's loopback for those in host mode, on the gateway of the engine's bridge for those in bridge mode, and
// wherever Serve is told to. The first two have one port, which stays the same over restarts: a redirection brings the address of all task endpoints
// there, and containers have the port in their environment where there is none.
type Server struct {
	// Gateway is the machine's address on the engine's bridge; an address that is not valid says that there is no bridge. It is asked until it
	// answers.
	Gateway func(context.Context) (netip.Addr, error)
	// Recall is the port of the last time, 0 if there was none, and Remember keeps one.
	Recall   func() int
	Remember func(port int) error
	Redirect Redirect // nil: containers are told the port
	// Metadata serves instance metadata to those who ask in a VPC, or on the engine's bridge ("") where there is a Redirect. nil: there is none.
	Metadata func(vpc string) http.Handler
	Log      *slog.Logger

	opened  chan struct{} // closed once what follows is known
	uris    map[string]string
	handler http.Handler
}

// Redirect brings what is sent to the address of all task endpoints to where the server listens.
type Redirect interface {
	// Open makes it, again where it was made before. bridge is not valid where there is no bridge, and metadata where instance metadata is not served there.
	Open(host, bridge, metadata netip.AddrPort) error
	// Keep keeps it until ctx ends, and returns when it is gone.
	Keep(ctx context.Context)
}

// Endpoints is where all containers of ECS look for the task endpoints: a link-local address that every network has for itself, port 80.
const Endpoints = "http://169.254.170.2"

var _ agent.Front = (*Server)(nil)

// firstPort is tried first. Tasks are not given it.
const firstPort = 51680

// How often the engine is asked for its bridge, how long another process may hold the port of the last time, and how many ports are tried.
const (
	askAgain  = time.Second
	portAgain = 100 * time.Millisecond
	portTries = 20
	anyTries  = 10
)

// New is a Server that does not listen yet.
func New(s Server) *Server {
	s.opened, s.uris = make(chan struct{}), map[string]string{}
	return &s
}

// URI implements agent.Front.
func (s *Server) URI(ctx context.Context, network string) (string, error) {
	if network == "awsvpc" { // its own listener is there
		return Endpoints, nil
	}
	select {
	case <-s.opened:
		return s.uris[network], nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Run listens and serves until ctx ends. Where it cannot listen, containers do not reach the agent, and that is all.
func (s *Server) Run(ctx context.Context, h http.Handler) error {
	gateway, err := s.gateway(ctx)
	if err != nil {
		return err
	}
	listeners := s.open(ctx, gateway)
	metadata := s.openMetadata(ctx, listeners)
	redirected := s.redirect(listeners, metadata)
	s.handler = h
	close(s.opened)
	g, ctx := errgroup.WithContext(ctx)
	led, leave := context.WithCancel(context.WithoutCancel(ctx)) // until nothing leads here any more: another agent answers then
	for _, l := range listeners {
		g.Go(func() error { return s.Serve(led, l, "") })
	}
	if metadata != nil {
		g.Go(func() error { return s.ServeMetadata(led, metadata, "") })
	}
	g.Go(func() error {
		defer leave()
		if redirected {
			s.Redirect.Keep(ctx)
		}
		<-ctx.Done()
		return ctx.Err()
	})
	return g.Wait()
}

// Serve serves the task endpoints on a listener until ctx ends or the listener is closed, in the network of a VPC ("" in the machine's). It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener, vpc string) error {
	select {
	case <-s.opened:
	case <-ctx.Done():
		l.Close()
		return ctx.Err()
	}
	return s.serve(ctx, l, vpc, s.handler)
}

// ServeMetadata serves instance metadata as Serve does the task endpoints.
func (s *Server) ServeMetadata(ctx context.Context, l net.Listener, vpc string) error {
	if s.Metadata == nil {
		defer l.Close()
		<-ctx.Done() // connections are refused: nobody accepts them
		return ctx.Err()
	}
	return s.serve(ctx, l, vpc, s.Metadata(vpc))
}

func (s *Server) serve(ctx context.Context, l net.Listener, vpc string, h http.Handler) error {
	defer l.Close()
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.WithoutCancel(ctx), vpcKey{}, vpc)
		},
	}
	stop := context.AfterFunc(ctx, func() { server.Close() }) //nolint:errcheck // nobody to tell
	defer stop()
	switch err := server.Serve(limitCallers(l)); {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, net.ErrClosed):
		return nil
	default:
		return fmt.Errorf("serve containers on %s: %w", l.Addr(), err)
	}
}

// redirect has the address of all task endpoints lead to the listeners, if it can: containers are told that one then. metadata may be nil.
func (s *Server) redirect(list []net.Listener, metadata net.Listener) bool {
	if s.Redirect == nil || len(list) == 0 {
		return false
	}
	var bridge, instances netip.AddrPort
	host := list[0].Addr().(*net.TCPAddr).AddrPort()
	if len(list) > 1 {
		bridge = list[1].Addr().(*net.TCPAddr).AddrPort()
	}
	if metadata != nil {
		instances = metadata.Addr().(*net.TCPAddr).AddrPort()
	}
	if err := s.Redirect.Open(host, bridge, instances); err != nil {
		s.Log.Warn("the address of task endpoints does not lead to the agent: containers are told another one", "address", Endpoints, "err", err)
		return false
	}
	for network := range s.uris {
		s.uris[network] = Endpoints
	}
	return true
}

// gateway asks the engine for its bridge until it answers.
func (s *Server) gateway(ctx context.Context) (netip.Addr, error) {
	for {
		a, err := s.Gateway(ctx)
		if err == nil {
			return a, nil
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// open listens on the port of the last time if it can, and sets what containers are told.
func (s *Server) open(ctx context.Context, gateway netip.Addr) []net.Listener {
	list, err := s.reopen(ctx, gateway)
	for n := 0; len(list) == 0 && n < anyTries; n++ {
		list, err = listen(gateway, map[bool]int{true: firstPort}[n == 0])
	}
	if len(list) == 0 {
		s.Log.Warn("containers do not reach the agent: it cannot listen for them", "err", err)
		return nil
	}
	port := list[0].Addr().(*net.TCPAddr).Port
	if err := s.Remember(port); err != nil {
		s.Log.Warn("the port for containers will be another one after a restart", "err", err)
	}
	s.uris["host"] = "http://" + list[0].Addr().String()
	if len(list) > 1 {
		s.uris["bridge"] = "http://" + list[1].Addr().String()
	}
	return list
}

// reopen listens on the port of the last time.
func (s *Server) reopen(ctx context.Context, gateway netip.Addr) (list []net.Listener, err error) {
	port := s.Recall()
	for n := 0; port != 0 && n < portTries && ctx.Err() == nil; n++ {
		if list, err = listen(gateway, port); err == nil {
			return list, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(portAgain):
		}
	}
	if port != 0 {
		s.Log.Warn("the port for containers is taken: those that run do not reach the agent any more", "port", port, "err", err)
	}
	return nil, err
}

// listen opens a port, 0 is any, on the loopback and then on the gateway. An engine on another machine has a gateway that is not here.
func listen(gateway netip.Addr, port int) ([]net.Listener, error) {
	first, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil || !gateway.IsValid() {
		return alone(first), err
	}
	port = first.Addr().(*net.TCPAddr).Port
	second, err := net.Listen("tcp", netip.AddrPortFrom(gateway, uint16(port)).String())
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return alone(first), nil
	case err != nil:
		first.Close()
		return nil, err
	}
	return []net.Listener{first, second}, nil
}

func alone(l net.Listener) []net.Listener {
	if l == nil {
		return nil
	}
	return []net.Listener{l}
}
