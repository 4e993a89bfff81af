package pipenet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/nettest"
)

// TestConn holds a connection to the contract of net.Conn.
func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (near, far net.Conn, stop func(), err error) {
		nw := New()
		near, far = connect(t, nw)
		return near, far, func() { near.Close(); far.Close(); nw.Close() }, nil
	})
}

// connect dials and accepts.
func connect(t *testing.T, nw *Network) (near, far *Conn) {
	t.Helper()
	accepted := make(chan *Conn, 1)
	go func() {
		c, err := nw.Accept()
		if err != nil {
			t.Error(err)
			close(accepted)
			return
		}
		accepted <- c.(*Conn)
	}()
	c, err := nw.Dial(t.Context(), "tcp", "anywhere:80")
	if err != nil {
		t.Fatal(err)
	}
	far = <-accepted
	if far == nil {
		t.FailNow()
	}
	return c.(*Conn), far
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw, start := New(), time.Now()
		nw.SetLatency(40 * time.Millisecond)
		near, far := connect(t, nw)
		defer near.Close()
		defer far.Close()
		if d := time.Since(start); d != 80*time.Millisecond {
			t.Errorf("dialing took %v, want both ways", d)
		}
		send(t, near, "one")
		nw.SetLatency(0)
		send(t, near, "two") // does not overtake
		near.CloseWrite()
		got, err := io.ReadAll(far)
		if d := time.Since(start); string(got) != "onetwo" || err != nil || d != 120*time.Millisecond {
			t.Errorf("read %q, %v after %v", got, err, d)
		}
	})
}

func TestDeadlineBeforeArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw := New()
		nw.SetLatency(time.Minute)
		near, far := connect(t, nw)
		defer near.Close()
		defer far.Close()
		send(t, near, "late")
		far.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := far.Read(make([]byte, 8)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		far.SetReadDeadline(time.Time{})
		if got := receive(t, far); got != "late" {
			t.Errorf("then read %q", got)
		}
	})
}

func TestHalfClose(t *testing.T) {
	near, far := connect(t, New())
	defer near.Close()
	defer far.Close()
	send(t, near, "question")
	near.CloseWrite()
	if got, err := io.ReadAll(far); string(got) != "question" || err != nil {
		t.Fatalf("read %q, %v", got, err)
	}
	send(t, far, "answer")
	if got := receive(t, near); got != "answer" {
		t.Errorf("read %q after closing the writing half", got)
	}
	if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after CloseWrite: %v", err)
	}
}

func TestCloseKeepsWhatWasWritten(t *testing.T) {
	near, far := connect(t, New())
	send(t, near, "last words")
	near.Close()
	if got, err := io.ReadAll(far); string(got) != "last words" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed end: %v", err)
	}
	if err := near.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second close: %v", err)
	}
	far.Close()
}

func TestCutLosesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw := New()
		near, far := connect(t, nw)
		send(t, near, "lost")
		waiting := make(chan error, 1)
		go func() {
			_, err := near.Read(make([]byte, 1))
			waiting <- err
		}()
		synctest.Wait()
		if n := nw.Cut(); n != 1 {
			t.Errorf("%d connections cut", n)
		}
		if err := <-waiting; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("waiting read: %v", err)
		}
		if n, err := far.Read(make([]byte, 8)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read %d bytes, %v", n, err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v", err)
		}
		if n := nw.Cut(); n != 0 {
			t.Errorf("%d connections cut a second time", n)
		}
		near, far = connect(t, nw) // a cut is no closed listener
		near.Close()
		far.Close()
		if n := nw.Cut(); n != 0 {
			t.Errorf("%d closed connections cut", n)
		}
	})
}

func TestWriterWaitsForReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := connect(t, New())
		defer far.Close()
		big, done := bytes.Repeat([]byte("x"), 3*capacity+1), make(chan bool, 1)
		go func() {
			near.Write(big)
			near.Close()
			done <- true
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("the writer did not wait")
		default:
		}
		if got, err := io.ReadAll(far); !bytes.Equal(got, big) || err != nil {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
		<-done
	})
}

func TestDialIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw := New()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := nw.Dial(ctx, "tcp", "x:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial with nobody accepting: %v", err)
		}
		nw.Close()
		if _, err := nw.Dial(t.Context(), "tcp", "x:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dial a closed network: %v", err)
		}
		if _, err := nw.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept on a closed network: %v", err)
		}
		nw.Reopen()
		near, far := connect(t, nw)
		near.Close()
		far.Close()
	})
}

// TestHTTP serves inside a bubble: an hour's silence costs nothing, and a keep-alive connection is used again.
func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nw, seen := New(), map[string]bool{}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen[r.RemoteAddr] = true
			time.Sleep(time.Hour)
			io.Copy(w, r.Body)
		})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(nw) }()
		transport := &http.Transport{DialContext: nw.Dial}
		client := &http.Client{Transport: transport}
		for range 3 {
			start := time.Now()
			resp, err := client.Post("http://berth/", "text/plain", strings.NewReader("echo"))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != "echo" || time.Since(start) != time.Hour {
				t.Errorf("got %q after %v", body, time.Since(start))
			}
		}
		if len(seen) != 1 {
			t.Errorf("%d connections for three requests", len(seen))
		}
		transport.CloseIdleConnections()
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
}

func send(t *testing.T, c *Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *Conn) string {
	t.Helper()
	p := make([]byte, 64)
	n, err := c.Read(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}
