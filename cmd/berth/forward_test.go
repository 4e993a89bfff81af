package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"berth/internal/frontdoor"
	"berth/internal/pki"
	"berth/internal/state/etcd"
)

// place is one replica's listener, gate and handler, without a store.
type place struct {
	listen string
	trust  atomic.Pointer[trust]
	gate   *gate
}

func authority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// openPlace serves door behind a gate on a loopback port.
func openPlace(t *testing.T, a *pki.Authority, door http.Handler) *place {
	t.Helper()
	own, err := a.Issue()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{options: serverOptions{listen: "127.0.0.1:0"}}
	s.trust.Store(&trust{a, own})
	l, err := s.listen()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{listen: l.Addr().String(), gate: &gate{door: door, refuse: frontdoor.New(frontdoor.Config{}).Refuse}}
	p.trust.Store(s.trust.Load())
	h := &http.Server{Handler: p.gate, ConnContext: keepConn, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	done := make(chan struct{})
	go func() { h.Serve(l); close(done) }() //nolint:errcheck // it is closed
	t.Cleanup(func() { h.Close(); <-done })
	return p
}

// openFollower forwards to whatever route says.
func openFollower(t *testing.T, a *pki.Authority) (*place, *forwarder) {
	t.Helper()
	f := newForwarder(&forwarder{name: "follower", leading: func() bool { return false }, log: slog.New(slog.DiscardHandler)})
	p := openPlace(t, a, f)
	f.trust = &p.trust
	f.refuse = frontdoor.New(frontdoor.Config{Sockets: []frontdoor.Socket{{Path: "/acs/ws"}}}).Refuse
	f.serve = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served here") })
	return p, f
}

// lead sends what is forwarded to an address from now on; the returned function ends that.
func (f *forwarder) lead(address string) (end context.CancelFunc) {
	ended, stop := context.WithCancel(context.Background())
	changed := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = &route{Leader: etcd.Leader{Address: "http://" + address, Replica: "leader"}, host: address, changed: changed, ended: ended}
	return func() { close(changed); stop() }
}

func do(t *testing.T, r *http.Request, err error) (*http.Response, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, DisableCompression: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestForwardKeepsTheRequest(t *testing.T) {
	a := authority(t)
	leader := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		own := ""
		for k := range r.Header {
			if strings.HasPrefix(k, "X-Berth") || k == "Accept-Encoding" {
				own += k + " "
			}
		}
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s tls=%v replica=%v for=%q own=%q caller=%v", r.Method, r.RequestURI, r.Host, body, r.TLS != nil, fromReplica(r),
			r.Header.Get("X-Forwarded-For"), own, !strings.HasPrefix(r.RemoteAddr, "127.0.0.1"))
	}))
	front, f := openFollower(t, a)
	defer f.lead(leader.listen)()
	for _, scheme := range []string{"http", "https"} {
		r, err := http.NewRequest("POST", scheme+"://"+front.listen+"/a%2Fb?x=1;y=2&z=%zz", strings.NewReader("the body"))
		if err == nil {
			r.Host = "ecs.example.com"
			r.Header.Set("X-Forwarded-For", "10.0.0.9")
			r.Header.Set(schemeHeader, "https") // a caller cannot say so itself
		}
		resp, got := do(t, r, err)
		want := fmt.Sprintf(`POST /a%%2Fb?x=1;y=2&z=%%zz ecs.example.com the body tls=%v replica=true for="10.0.0.9" own="" caller=false`, scheme == "https")
		if got != want || resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Answer") != "yes" {
			t.Errorf("%d\n%s, want\n%s", resp.StatusCode, got, want)
		}
	}
	r, err := http.NewRequest("GET", "http://"+leader.listen+"/", nil)
	if err == nil {
		r.Header.Set(schemeHeader, "https")
		r.Header.Set(callerHeader, "10.1.1.1:1")
	}
	if _, got := do(t, r, err); !strings.Contains(got, `tls=false replica=false for="" own="" caller=false`) {
		t.Errorf("a caller that poses as a replica: %s", got)
	}
}

// TestUnsentIsSentAgain: one leader cannot be reached, the next says that it does not lead, the third does it.
func TestUnsentIsSentAgain(t *testing.T) {
	a := authority(t)
	var calls atomic.Int32
	front, f := openFollower(t, a)
	next := make(chan func(), 1)
	real := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 3 {
			io.Copy(io.Discard, r.Body) //nolint:errcheck // it is refused
			notLeader(w, r)
			return
		}
		io.Copy(w, r.Body) //nolint:errcheck // the test looks
	}))
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	end := f.lead(nobody.Addr().String())
	time.AfterFunc(100*time.Millisecond, func() { next <- f.lead(real.listen); end() })
	r, err := http.NewRequest("POST", "http://"+front.listen+"/", strings.NewReader("body"))
	if resp, got := do(t, r, err); resp.StatusCode != http.StatusOK || got != "body" || calls.Load() != 3 {
		t.Errorf("%d %q after %d calls", resp.StatusCode, got, calls.Load())
	}
	(<-next)()
}

// TestSentIsNotSentAgain: a leader that goes while it has the request may have done it. The caller is told so in its service's form.
func TestSentIsNotSentAgain(t *testing.T) {
	a := authority(t)
	var calls atomic.Int32
	ends := make(chan func(), 1)
	leader := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		(<-ends)()
		<-r.Context().Done()
	}))
	front, f := openFollower(t, a)
	ends <- f.lead(leader.listen)
	for _, how := range []string{"it dies", "another one leads"} {
		r, err := http.NewRequest("POST", "http://"+front.listen+"/", strings.NewReader("{}"))
		if err == nil {
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.RunTask")
		}
		resp, got := do(t, r, err)
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got, `"__type":"ServerException"`) || !strings.Contains(got, "not known") {
			t.Errorf("%s: %d %s", how, resp.StatusCode, got)
		}
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("two requests were sent %d times", n)
	}
}

// TestForwardEndsHere: the replica that waits for a leader becomes it.
func TestForwardEndsHere(t *testing.T) {
	a := authority(t)
	front, f := openFollower(t, a)
	var leads atomic.Bool
	f.leading = leads.Load
	f.serve = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }) //nolint:errcheck // the test looks
	time.AfterFunc(100*time.Millisecond, func() { leads.Store(true) })
	r, err := http.NewRequest("POST", "http://"+front.listen+"/x", strings.NewReader("whole"))
	if resp, got := do(t, r, err); resp.StatusCode != http.StatusOK || got != "whole" {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

// TestRelay: a websocket goes through a follower, and is closed in the agent's words when another replica leads.
func TestRelay(t *testing.T) {
	a := authority(t)
	leader := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "containerInstanceArn=x" {
			http.Error(w, `{"InvalidInstanceException":"no"}`, http.StatusBadRequest)
			return
		}
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow() //nolint:errcheck // it is closed by the other end
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, bytes.ToUpper(b)) != nil {
				return
			}
		}
	}))
	front, f := openFollower(t, a)
	end := f.lead(leader.listen)
	if _, resp, err := websocket.Dial(t.Context(), "http://"+front.listen+"/acs/ws", nil); err == nil || resp == nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("the leader's refusal did not come through: %v", err)
	}
	c, _, err := websocket.Dial(t.Context(), "http://"+front.listen+"/acs/ws?containerInstanceArn=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow() //nolint:errcheck // closed below
	long := strings.Repeat("a", 3*relayBuffer)
	for _, text := range []string{"hello", long} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, b, err := c.Read(t.Context()); err != nil || string(b) != strings.ToUpper(text) {
			t.Fatalf("%.20q, %v", b, err)
		}
	}
	end()
	if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("when the leader goes, the agent sees %v", err)
	}
	f.endSessions(t.Context())
	if _, resp, err := websocket.Dial(t.Context(), "http://"+front.listen+"/acs/ws?containerInstanceArn=x", nil); err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a session begins while the replica drains: %v", err)
	}
}

// TestRelayLeavesAHungLeader: a session that is asked of a leader which does not answer is asked of the next one as soon as that leads.
func TestRelayLeavesAHungLeader(t *testing.T) {
	a := authority(t)
	for name, reads := range map[string]bool{"before the handshake": false, "when it was asked": true} {
		t.Run(name, func(t *testing.T) {
			front, f := openFollower(t, a)
			own, err := a.Issue()
			if err != nil {
				t.Fatal(err)
			}
			hung, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer hung.Close()
			if reads {
				hung = tls.NewListener(hung, a.Accept(own, replicaProtocol))
			}
			next := openPlace(t, a, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c, err := websocket.Accept(w, r, nil); err == nil {
					c.Close(websocket.StatusNormalClosure, "") //nolint:errcheck // the test looks
				}
			}))
			end := f.lead(hung.Addr().String())
			led := make(chan func(), 1)
			go func() {
				c, err := hung.Accept()
				if err == nil && reads {
					_, err = http.ReadRequest(bufio.NewReader(c))
				}
				if err != nil {
					t.Errorf("it was not asked: %v", err)
				}
				led <- f.lead(next.listen)
				end()
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // open gives up after 30
			defer cancel()
			c, _, err := websocket.Dial(ctx, "http://"+front.listen+"/acs/ws", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow() //nolint:errcheck // it is closed by the other end
			if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
				t.Errorf("%v", err)
			}
			(<-led)()
		})
	}
}

// TestStrangersAreNoReplicas: the replicas' protocol takes a certificate of the authority.
func TestStrangersAreNoReplicas(t *testing.T) {
	a := authority(t)
	p := openPlace(t, a, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a stranger was served") }))
	foreign, err := authority(t).Issue()
	if err != nil {
		t.Fatal(err)
	}
	for _, certs := range [][]tls.Certificate{nil, {foreign}} {
		c, err := tls.Dial("tcp", p.listen, &tls.Config{Certificates: certs, InsecureSkipVerify: true, NextProtos: []string{replicaProtocol}})
		if err != nil {
			continue
		}
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
			t.Error("a stranger got an answer")
		}
		c.Close()
	}
	// Who wants to join gets to the one path for that, and nowhere else.
	c, err := tls.Dial("tcp", p.listen, pki.Pinned(a.Fingerprint(), "127.0.0.1", joinProtocol))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", resp, err)
	}
}

// TestTurnstile: after a first rush callers pass at the rate, and those who would wait too long are refused.
func TestTurnstile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 5000
		var gate turnstile
		var passed, refused atomic.Int32
		began := time.Now()
		for range callers {
			go func() {
				if gate.pass(t.Context()) {
					passed.Add(1)
				} else {
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		if n := passed.Load(); n < admitRush || n > admitRush+1 {
			t.Errorf("%d pass at once, want %d", n, admitRush)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := passed.Load(); n < admitRush+admitRate-2 || n > admitRush+admitRate+2 {
			t.Errorf("%d have passed after a second", n)
		}
		for passed.Load() < callers && time.Since(began) < time.Minute {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		if took := time.Since(began); passed.Load() != callers || took > 30*time.Second {
			t.Errorf("%d have passed after %v, %d refused", passed.Load(), took, refused.Load())
		}
	})
}
