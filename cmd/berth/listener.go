package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth/internal/pki"
)

// What replicas say in the TLS handshake. The one listener serves clients, replicas and those who want to become one, and tells them apart by it.
const (
	replicaProtocol = "berth-replica/1" // mutual TLS of the installation's own authority
	joinProtocol    = "berth-join/1"    // the server's certificate is the authority's; the caller has a token
)

// trust is the installation's authority and this replica's own certificate.
type trust struct {
	authority *pki.Authority
	own       tls.Certificate
}

// listen opens the one listener.
func (s *server) listen() (*listener, error) {
	l, err := net.Listen("tcp", s.options.listen)
	if err != nil {
		return nil, cannotListen("listen", s.options.listen, err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: s.tlsFor}
	plain := s.options.tlsCert == ""
	if !plain {
		cert, err := tls.LoadX509KeyPair(s.options.tlsCert, s.options.tlsKey)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	return newListener(l, config, plain, &s.connections), nil
}

// tlsFor chooses whom a connection is with. Clients get --tls-cert; where there is none, the authority's certificate.
func (s *server) tlsFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	t := s.trust.Load()
	for _, p := range hello.SupportedProtos {
		switch {
		case p != replicaProtocol && p != joinProtocol:
		case t == nil:
			return nil, errors.New("this replica is still starting")
		case p == replicaProtocol:
			return t.authority.Accept(t.own, replicaProtocol), nil
		default:
			return &tls.Config{Certificates: []tls.Certificate{t.own}, NextProtos: []string{joinProtocol}, MinVersion: tls.VersionTLS13}, nil
		}
	}
	if s.options.tlsCert != "" {
		return nil, nil
	}
	if t == nil {
		return nil, errors.New("this replica is still starting")
	}
	return &tls.Config{Certificates: []tls.Certificate{t.own}, MinVersion: tls.VersionTLS12}, nil
}

// listener hands out TLS connections and, where plain is allowed, those without, which it tells apart by their first byte.
type listener struct {
	net.Listener
	config *tls.Config
	plain  bool
	count  *connections
	conns  chan net.Conn
	done   chan struct{} // closed when nothing more comes
	stop   context.CancelFunc
	err    error // of the listener below, once done is closed
}

func newListener(below net.Listener, config *tls.Config, plain bool, count *connections) *listener {
	ctx, stop := context.WithCancel(context.Background())
	l := &listener{Listener: below, config: config, plain: plain, count: count, conns: make(chan net.Conn), done: make(chan struct{}), stop: stop}
	go l.run(ctx)
	return l
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, l.err
	}
}

// Close ends the listener, with the connections that have said nothing yet.
func (l *listener) Close() error {
	l.stop()
	err := l.Listener.Close()
	<-l.done
	return err
}

func (l *listener) run(ctx context.Context) {
	defer close(l.done)
	var sorting sync.WaitGroup
	defer sorting.Wait()
	for {
		c, err := l.Listener.Accept()
		if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ECONNABORTED) {
			time.Sleep(10 * time.Millisecond) // too many at once: the next ones may fit
			continue
		}
		if err != nil {
			l.err = err
			l.stop()
			return
		}
		if !l.count.enter() {
			c.Close()
			continue
		}
		sorting.Go(func() { l.sort(ctx, c) })
	}
}

// sort finds out what a connection is, and hands it out.
func (l *listener) sort(ctx context.Context, c net.Conn) {
	encrypted := true
	if tcp, ok := c.(*net.TCPConn); ok && l.plain {
		unlink := context.AfterFunc(ctx, func() { c.Close() })
		var err error
		encrypted, err = speaksTLS(tcp)
		if !unlink() || err != nil {
			c.Close()
			l.count.leave()
			return
		}
	}
	c = &countedConn{Conn: c, leave: sync.OnceFunc(l.count.leave)}
	if encrypted {
		c = secureConn{tls.Server(c, l.config)}
	}
	select {
	case l.conns <- c:
	case <-ctx.Done():
		c.Close()
	}
}

// secureConn hides from net/http that a connection is TLS: it closes those that speak a protocol of their own. The gate looks instead.
type secureConn struct{ *tls.Conn }

// connKey is where a request's context has its connection.
type connKey struct{}

func keepConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// tlsOf is the TLS of a request's connection, nil if it has none.
func tlsOf(r *http.Request) *tls.ConnectionState {
	c, ok := r.Context().Value(connKey{}).(secureConn)
	if !ok {
		return nil
	}
	state := c.ConnectionState()
	return &state
}

// speaksTLS looks at the first byte without taking it. No request of HTTP begins with that of a TLS handshake.
func speaksTLS(c *net.TCPConn) (bool, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return false, err
	}
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return false, err
	}
	var first [1]byte
	var n int
	var peekErr error
	err = raw.Read(func(fd uintptr) bool {
		n, _, peekErr = unix.Recvfrom(int(fd), first[:], unix.MSG_PEEK)
		return !errors.Is(peekErr, unix.EAGAIN) && !errors.Is(peekErr, unix.EINTR)
	})
	if err = errors.Join(err, peekErr); err != nil {
		return false, err
	}
	if n == 0 {
		return false, net.ErrClosed
	}
	return first[0] == 0x16, c.SetReadDeadline(time.Time{})
}
