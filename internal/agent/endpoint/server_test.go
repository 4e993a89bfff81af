package endpoint

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"berth/internal/agent"
)

// front is a Server under test, and the port that it keeps.
type front struct {
	port    int
	gateway netip.Addr
	fails   int // so often the engine does not answer

	redirect Redirect
	machine  Machine
}

// run runs a Server until the returned function is called.
func (f *front) run(t *testing.T) (s *Server, stop func()) {
	t.Helper()
	s = New(Server{
		Gateway: func(context.Context) (netip.Addr, error) {
			if f.fails--; f.fails >= 0 {
				return netip.Addr{}, errors.New("no answer")
			}
			return f.gateway, nil
		},
		Recall: func() int { return f.port }, Remember: func(p int) error { f.port = p; return nil }, Log: slog.New(slog.DiscardHandler),
	})
	s.Redirect = f.redirect
	if f.machine == nil {
		f.machine = &plane{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, Handler(f.machine, nil)) }()
	stop = func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) && err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return s, stop
}

func (s *Server) mustURI(t *testing.T, network string) string {
	t.Helper()
	uri, err := s.URI(t.Context(), network)
	if err != nil {
		t.Fatal(err)
	}
	return uri
}

func reach(t *testing.T, uri string) {
	t.Helper()
	r, err := http.Get(uri + path)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("%s: %s", uri, r.Status)
	}
}

// TestServer: containers of both network modes reach it, and at the same place after a restart.
func TestServer(t *testing.T) {
	f := &front{gateway: netip.MustParseAddr("127.0.0.2"), fails: 1}
	s, stop := f.run(t)
	host, bridge := s.mustURI(t, "host"), s.mustURI(t, "bridge")
	if !strings.HasPrefix(host, "http://127.0.0.1:") || bridge != strings.Replace(host, "127.0.0.1", "127.0.0.2", 1) {
		t.Errorf("%s and %s", host, bridge)
	}
	if none := s.mustURI(t, "none"); none != "" {
		t.Errorf("without a network: %s", none)
	}
	reach(t, host)
	reach(t, bridge)
	stop()
	if r, err := http.Get(host + path); err == nil {
		r.Body.Close()
		t.Error("it serves after its end")
	}
	again, _ := f.run(t)
	if now := again.mustURI(t, "bridge"); now != bridge {
		t.Errorf("%s after a restart, before it %s", now, bridge)
	}
	reach(t, bridge)
}

// TestPortIsTaken: another port serves where the first one, or the one of the last time, is another's, on either address.
func TestPortIsTaken(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0"} {
		other, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		taken := other.Addr().(*net.TCPAddr).Port
		f := &front{gateway: netip.MustParseAddr("127.0.0.2"), port: taken}
		s, _ := f.run(t)
		reach(t, s.mustURI(t, "bridge"))
		reach(t, s.mustURI(t, "host"))
		if f.port == taken || f.port == 0 {
			t.Errorf("port %d, taken is %d", f.port, taken)
		}
	}
}

// TestNoBridge: without a bridge, or with one of another machine, containers in host mode reach it.
func TestNoBridge(t *testing.T) {
	for _, gateway := range []netip.Addr{{}, netip.MustParseAddr("192.0.2.1")} {
		s, _ := (&front{gateway: gateway}).run(t)
		reach(t, s.mustURI(t, "host"))
		if uri := s.mustURI(t, "bridge"); uri != "" {
			t.Errorf("gateway %v: %s", gateway, uri)
		}
	}
}

// TestNothingKnown: who asks before the engine has answered waits until it has, or gives up.
func TestNothingKnown(t *testing.T) {
	s, _ := (&front{fails: 1 << 30}).run(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if uri, err := s.URI(ctx, "host"); !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", uri, err)
	}
}

// bends is a Redirect that remembers where to.
type bends struct {
	host, bridge netip.AddrPort
	err          error
	kept         chan error // what its end saw
}

func (b *bends) Open(host, bridge, _ netip.AddrPort) error {
	b.host, b.bridge = host, bridge
	return b.err
}

func (b *bends) Keep(ctx context.Context) {
	<-ctx.Done()
	var refused error
	for range 50 {
		time.Sleep(time.Millisecond)
		c, err := net.Dial("tcp", b.host.String())
		if err != nil {
			refused = err
			break
		}
		c.Close()
	}
	b.kept <- refused
}

// TestRedirected: containers are told the address of all task endpoints where that leads to the server, for as long as it runs, and where it listens
// else. It answers until nothing leads to it any more. In a VPC it is always that address.
func TestRedirected(t *testing.T) {
	for _, b := range []*bends{{}, {err: errors.New("not allowed")}} {
		b.kept = make(chan error, 1)
		f := &front{gateway: netip.MustParseAddr("127.0.0.2"), redirect: b}
		s, stop := f.run(t)
		host, bridge := "http://127.0.0.1:"+strconv.Itoa(f.portOf(t, s)), "http://127.0.0.2:"+strconv.Itoa(f.port)
		if "http://"+b.host.String() != host || "http://"+b.bridge.String() != bridge {
			t.Errorf("it leads to %s and %s, and the server is at %s and %s", b.host, b.bridge, host, bridge)
		}
		if b.err == nil {
			host, bridge = Endpoints, Endpoints
		}
		for network, want := range map[string]string{"host": host, "bridge": bridge, "awsvpc": Endpoints, "none": ""} {
			if got := s.mustURI(t, network); got != want {
				t.Errorf("%v: in %s mode %s, want %s", b.err, network, got, want)
			}
		}
		stop()
		if b.err == nil {
			if err := <-b.kept; err != nil {
				t.Errorf("while it still led to the server: %v", err)
			}
		}
	}
}

// portOf waits until the server listens.
func (f *front) portOf(t *testing.T, s *Server) int {
	s.mustURI(t, "host")
	return f.port
}

// located tells where it is asked for a task.
type located struct {
	plane
	at chan string
}

func (l *located) SeenAt(_ context.Context, vpc string, address netip.Addr) (*agent.Seen, bool) {
	l.at <- vpc + " " + address.String()
	return nil, false
}

// TestServe: the server takes listeners while it runs, and knows in which VPC a container asks. It gives them up when they are closed, or it is told to.
func TestServe(t *testing.T) {
	p := &located{at: make(chan string, 1)}
	f := &front{gateway: netip.MustParseAddr("127.0.0.2"), machine: p}
	s, _ := f.run(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ended [2]chan error
	var listeners [2]net.Listener
	for i, vpc := range []string{"vpc-1", "vpc-2"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i], ended[i] = l, make(chan error, 1)
		go func() { ended[i] <- s.Serve(ctx, l, vpc) }()
		r, err := http.Get("http://" + l.Addr().String() + "/v2/metadata")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if got := <-p.at; got != vpc+" 127.0.0.1" {
			t.Errorf("asked for %s, want %s", got, vpc)
		}
	}
	listeners[0].Close()
	if err := <-ended[0]; err != nil {
		t.Errorf("a closed listener: %v", err)
	}
	cancel()
	if err := <-ended[1]; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if c, err := net.Dial("tcp", listeners[1].Addr().String()); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}
