package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestConnectionsAreBounded: what is above the bound is closed at once, plain or TLS, and a closed one makes room.
func TestConnectionsAreBounded(t *testing.T) {
	own, err := authority(t).Issue()
	if err != nil {
		t.Fatal(err)
	}
	below, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count := &connections{most: 3}
	l := newListener(below, &tls.Config{Certificates: []tls.Certificate{own}}, true, count)
	h := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }), ConnContext: keepConn} //nolint:errcheck // the test reads it
	served := make(chan struct{})
	go func() { h.Serve(l); close(served) }() //nolint:errcheck // it is closed
	t.Cleanup(func() { h.Close(); <-served })

	ask := func(secure bool) (net.Conn, error) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if secure {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: berth\r\n\r\n"); err != nil {
			return c, err
		}
		_, err = c.Read(make([]byte, 1))
		return c, err
	}
	silent, err := net.Dial("tcp", l.Addr().String()) // one that says nothing counts as well
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	plain, err := ask(false)
	if err != nil {
		t.Fatal(err)
	}
	secure, err := ask(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, tls := range []bool{false, true} {
		if _, err := ask(tls); err == nil {
			t.Error("one too many was served")
		}
	}
	for _, one := range []net.Conn{silent, plain, secure} {
		one.Close()
	}
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		open, refused := count.load()
		if open == 0 && refused == 2 {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d are open, %d were refused", open, refused)
		}
	}
	if _, err := ask(true); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}
