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

// Server listens for containers: on the machine's loopback for those in host mode, and on the gateway of the engine's bridge for those in
// bridge mode. Both have one port, which stays the same over restarts: containers have it in their environment.
type Server struct {
	// Gateway is the machine's address on the engine's bridge; an address that is not valid says that there is no bridge. It is asked until it
	// answers.
	Gateway func(context.Context) (netip.Addr, error)
	// Recall is the port of the last time, 0 if there was none, and Remember keeps one.
	Recall   func() int
	Remember func(port int) error
	Log      *slog.Logger

	opened chan struct{} // closed once uris are known
	uris   map[string]string
}

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
	s.opened = make(chan struct{})
	return &s
}

// URI implements agent.Front.
func (s *Server) URI(ctx context.Context, network string) (string, error) {
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
	close(s.opened)
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range listeners {
		g.Go(func() error {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve containers on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error { <-ctx.Done(); server.Close(); return ctx.Err() })
	return g.Wait()
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
	s.uris = map[string]string{"host": "http://" + list[0].Addr().String()}
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
