package endpoint

import (
	"io"
	"net"
	"testing"
)

// held opens connections from an address and returns those that the server has greeted; it has closed the others. They stay open until the test ends.
func held(t *testing.T, from, to string, n int) (kept []net.Conn) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	var all []net.Conn
	for range n {
		c, err := dialer.DialContext(t.Context(), "tcp", to)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		all = append(all, c)
	}
	for _, c := range all {
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
			kept = append(kept, c)
		}
	}
	return kept
}

// TestCallersAreBounded: who holds as many connections as one may have gets no others, keeps nobody else from asking, and has its place again when it closes some.
func TestCallersAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitCallers(inner)
	defer l.Close()
	accepted := make(chan net.Conn, 2*mostConnections)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write([]byte{1}) //nolint:errcheck // the test misses it
			accepted <- c
		}
	}()
	to := inner.Addr().String()
	open := held(t, "127.0.0.1", to, mostConnections+20)
	if len(open) != mostConnections {
		t.Fatalf("one address has %d connections, want %d", len(open), mostConnections)
	}
	if others := held(t, "127.0.0.3", to, 3); len(others) != 3 {
		t.Errorf("another address has %d connections, want 3", len(others))
	}
	for range 5 {
		c := <-accepted
		c.Close()
		c.Close() // once more, as the HTTP server does
	}
	if more := held(t, "127.0.0.1", to, 10); len(more) != 5 {
		t.Errorf("%d more after 5 were closed", len(more))
	}
	l.Close()
	for c := range accepted {
		c.Close()
	}
	if n := len(l.(*callerListener).open); n != 0 {
		t.Errorf("%d addresses are remembered", n)
	}
}
