package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/acs"
	"berth/internal/pipenet"
)

var three = []string{"http://a:3270", "http://b:3270/", "http://c:3270"}

func TestAgentsSpread(t *testing.T) {
	chosen := map[string]int{}
	for range 3000 {
		chosen[newEndpoints(three).current()]++
	}
	for e, n := range chosen {
		if n < 800 || strings.HasSuffix(e, "/") {
			t.Errorf("%s was chosen %d times of 3000", e, n)
		}
	}
	if len(chosen) != 3 {
		t.Errorf("%v", chosen)
	}
}

func TestFailingReplicaIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints(three)
		e.fail("http://elsewhere/acs/")
		first := e.current()
		e.fail(first + "/acs/")
		time.Sleep(time.Second)
		second := e.current()
		e.fail(second)
		time.Sleep(time.Second)
		third := e.current()
		if first == second || second == third || first == third {
			t.Fatalf("%s, %s, %s: some were not tried", first, second, third)
		}
		e.fail(first) // not in use: nothing moves
		if got := e.current(); got != third {
			t.Errorf("moved to %s", got)
		}
		time.Sleep(time.Second)
		e.fail(third)
		if got := e.current(); got != second {
			t.Errorf("all have failed: %s and not %s, which failed before the others", got, second)
		}
		time.Sleep(2 * lately)
		back := map[string]bool{}
		for range 200 {
			e.renew()
			back[e.current()] = true
		}
		if len(back) != 3 {
			t.Errorf("a minute later %v are used", back)
		}
	})
}

func TestOneEndpoint(t *testing.T) {
	e := newEndpoints([]string{"http://a"})
	e.fail("http://a")
	e.renew()
	if e.current() != "http://a" {
		t.Error(e.current())
	}
}

// plane is a control plane of several replicas as an agent's calls see it.
type plane struct {
	mu       sync.Mutex
	replicas map[string]*pipenet.Network // by host and port
	over     chan struct{}               // closed when the test is
	silent   string                      // accepts nothing
	refuses  string                      // answers that it cannot serve
	calls    []string
}

func newPlane(t *testing.T, endpoints ...string) *plane {
	p := &plane{replicas: map[string]*pipenet.Network{}, over: make(chan struct{})}
	t.Cleanup(func() { close(p.over) })
	for _, e := range endpoints {
		nw, host := pipenet.New(), hostOf(e)
		p.replicas[host] = nw
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.answer(host, w, r) })}
		go srv.Serve(nw) //nolint:errcheck // ends with Close
		t.Cleanup(func() { srv.Close(); nw.Close() })
	}
	return p
}

func (p *plane) answer(host string, w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	p.calls = append(p.calls, operation+" "+host)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch {
	case r.Host != host:
		http.Error(w, "signed for "+r.Host, http.StatusBadRequest)
	case host == p.refuses:
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"__type":"ServerException","message":"no leader"}`) //nolint:errcheck // a test's
	case operation == "RegisterContainerInstance":
		io.WriteString(w, `{"containerInstance":{"containerInstanceArn":"arn:aws:ecs:us-east-1:123456789012:container-instance/demo/1"}}`) //nolint:errcheck // a test's
	default:
		fmt.Fprintf(w, `{"endpoint":"http://%s/acs/","telemetryEndpoint":"http://%s/tcs/"}`, host, host)
	}
}

func (p *plane) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	silent := p.silent == address
	p.mu.Unlock()
	if silent {
		<-p.over
		return nil, net.ErrClosed
	}
	return p.replicas[address].Dial(ctx, network, address)
}

func (p *plane) set(silent, refuses string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent, p.refuses = silent, refuses
}

// TestCallsGoToAnotherReplica: a call to a replica that is gone, that is silent or that cannot serve reaches another one when it is tried again.
func TestCallsGoToAnotherReplica(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p *plane, host string)
	}{
		{"gone", func(p *plane, host string) { p.replicas[host].Close(); p.replicas[host].Cut() }},
		{"silent", func(p *plane, host string) { p.set(host, "") }},
		{"without a leader", func(p *plane, host string) { p.set("", host) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlane(t, three...)
				known := newEndpoints(three)
				client := &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
				api := (&Config{Region: "us-east-1", HTTPClient: client}).client(known, InstanceConfig{AccessKey: "AKID", SecretKey: "secret"})
				first := hostOf(known.current())
				c.spoil(p, first)
				call := func() (string, error) {
					ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
					defer cancel()
					out, err := api.DiscoverPollEndpoint(ctx, &awsecs.DiscoverPollEndpointInput{})
					if err != nil {
						return "", err
					}
					return hostOf(*out.Endpoint), nil
				}
				if host, err := call(); err == nil {
					t.Fatalf("%s answered", host)
				}
				host, err := call()
				if err != nil || host == first || host != hostOf(known.current()) {
					t.Errorf("the second try reached %s after %s: %v", host, first, err)
				}
				given, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := api.DiscoverPollEndpoint(given, &awsecs.DiscoverPollEndpointInput{}); err == nil || hostOf(known.current()) != host {
					t.Errorf("a call that was given up (%v) counts against the replica", err)
				}
			})
		})
	}
}

// TestRelocate: what a session asks for after it has ended.
func TestRelocate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlane(t, three...)
		client := &http.Client{Transport: &http.Transport{DialContext: p.dial, DisableKeepAlives: true}}
		a := &Agent{Config: Config{Region: "us-east-1", Endpoints: three, HTTPClient: client}, endpoints: newEndpoints(three)}
		in := &instance{agent: a, api: a.client(a.endpoints, InstanceConfig{AccessKey: "AKID", SecretKey: "secret"})}
		first := a.endpoints.current()
		session, telemetry, err := in.relocate(t.Context(), first+"/acs/")
		if err != nil || hostOf(session) == hostOf(first) || hostOf(session) != hostOf(telemetry) || !strings.HasSuffix(telemetry, "/tcs/") {
			t.Fatalf("%s, %s, %v", session, telemetry, err)
		}
		p.set("", hostOf(session))
		third, _, err := in.relocate(t.Context(), first+"/acs/") // in one call, past the one that cannot serve
		if err != nil || hostOf(third) == hostOf(session) || hostOf(third) == hostOf(first) {
			t.Errorf("%s after %s and %s: %v", third, first, session, err)
		}
		for _, host := range []string{hostOf(first), hostOf(third)} {
			p.replicas[host].Close()
			p.replicas[host].Cut()
		}
		if _, _, err := in.relocate(t.Context(), ""); err == nil || errors.Is(err, acs.ErrInactive) {
			t.Errorf("a replica that cannot serve told where the session is: %v", err)
		}
		p.set("", "")
		time.Sleep(3 * lately) // failures are forgotten
		for range 10 {
			if again, _, err := in.relocate(t.Context(), ""); err != nil || hostOf(again) != hostOf(session) {
				t.Fatalf("one of three is back, and the call ended at %s: %v", again, err)
			}
			time.Sleep(3 * lately)
		}
	})
}
