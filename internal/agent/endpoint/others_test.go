package endpoint

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"berth/internal/agent"
)

// peers are agents that are known of.
type peers []netip.AddrPort

func (p *peers) Peers(context.Context) []netip.AddrPort { return *p }

// strict is an agent that knows the task of one id, "secret", and counts who asked it about what.
type strict struct {
	plane
	id    string
	asked atomic.Int32
}

func (s *strict) Caller(id string) (agent.Caller, bool) {
	s.asked.Add(1)
	if id != s.id {
		return agent.Caller{}, false
	}
	return s.plane.Caller("secret")
}

// serve starts an agent's server, and returns where it is.
func serve(t *testing.T, h http.Handler) netip.AddrPort {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddrPort(u.Host)
}

// TestOthers: an agent passes on what is asked about containers of the machine's other agents, one after the other, and what none knows it refuses
// itself. They may all know of each other.
func TestOthers(t *testing.T) {
	var known [3]peers
	var agents [3]*strict
	var at [3]netip.AddrPort
	var handlers [3]http.Handler
	for i, id := range []string{"one", "two", "three"} {
		agents[i] = &strict{id: id}
		handlers[i] = Handler(agents[i], &known[i])
		at[i] = serve(t, handlers[i])
	}
	gone := netip.MustParseAddrPort("127.0.0.1:1") // nobody listens there
	known[0], known[1], known[2] = peers{gone, at[1], at[2]}, peers{at[0], at[2]}, peers{at[0], at[1]}

	const state = "/task-protection/v1/state"
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string // part of the answer
		asked              string // which task the owner's control plane was asked about
		owner              int
	}{
		{"GET", "/api/one" + state, "", 200, `"ProtectionEnabled":false`, "demo " + task, 0},
		{"GET", "/api/two" + state, "", 200, `"ProtectionEnabled":false`, "demo " + task, 1},
		{"PUT", "/api/three" + state, `{"ProtectionEnabled":true,"ExpiresInMinutes":60}`, 200, `"ProtectionEnabled":true`, "demo " + task + " on 1h0m0s", 2},
		{"PUT", "/api/three" + state, `{"ProtectionEnabled":"yes"}`, 400, "failed to decode request", "", 2},
		{"PUT", "/api/three" + state, `{"ProtectionEnabled":` + strings.Repeat(" ", mostBody) + `true}`, 400, "failed to decode request", "", 2},
		{"GET", "/api/none" + state, "", 404, "Failed to find a task for the request", "", 0},
		{"PUT", "/api/none" + state, `{"ProtectionEnabled":true}`, 404, "Failed to find a task for the request", "", 0},
		{"GET", "/v4/none", "", 404, "V4 container metadata handler", "", 0},
		{"GET", "/v4/two", "", 404, "unable to get docker ID from v3 endpoint ID: two", "", 1}, // its owner's own refusal
		{"GET", "/v3/none/task", "", 500, "V3 task metadata handler", "", 0},
	} {
		for i := range agents {
			agents[i].plane.asked = nil
			agents[i].asked.Store(0)
		}
		status, got := ask(handlers[0], c.method, c.path, c.body)
		if status != c.status || !strings.Contains(got, c.want) || strings.Join(agents[c.owner].plane.asked, "; ") != c.asked {
			t.Errorf("%s %s: %d %s, asked %q; want %d %s, %q", c.method, c.path, status, got, agents[c.owner].plane.asked, c.status, c.want, c.asked)
		}
		for i := range agents {
			if n := agents[i].asked.Load(); n > 3 {
				t.Errorf("%s %s: agent %d was asked %d times", c.method, c.path, i, n)
			}
		}
	}
}

// TestOthersInVPC: what comes in on a VPC's own network is this agent's, or nobody's.
func TestOthersInVPC(t *testing.T) {
	other := &strict{id: "two"}
	known := peers{serve(t, Handler(other, nil))}
	h := Handler(&strict{id: "one"}, &known)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, InVPC(httptest.NewRequest(http.MethodGet, "/api/two/task-protection/v1/state", nil), "vpc-1"))
	if w.Code != http.StatusNotFound || other.asked.Load() != 0 {
		t.Errorf("%d, and the other one was asked %d times", w.Code, other.asked.Load())
	}
}
