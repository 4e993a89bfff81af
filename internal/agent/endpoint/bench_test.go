package endpoint_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/endpoint"
)

// BenchmarkMetadata asks an agent with 500 tasks over a kept connection, with an id that it knows, with one that nobody knows, and by way of another agent.
// The rate is not limited: many ask.
func BenchmarkMetadata(b *testing.B) {
	const tasks = 500
	engine, control := agenttest.NewEngine("test"), agenttest.NewControl()
	engine.AddImage("app", agenttest.Image{})
	a, err := agent.New(agent.Config{
		Installation: "test", Instances: []agent.InstanceConfig{{Name: "one", Cluster: "demo"}}, Front: fronts{}, Engine: engine.Seam(), Ledger: &agenttest.Ledger{},
		API: func(agent.InstanceConfig) agent.API { return control }, RunAgent: control.RunAgent, RunTelemetry: control.RunTelemetry,
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ended })
	for i := range tasks {
		control.Run(acsproto.Task{ARN: fmt.Sprintf("arn:aws:ecs:us-east-1:123456789012:task/demo/%032d", i), Family: "web", Version: "1",
			Containers: []acsproto.Container{{Name: "a", Image: "app", Essential: true}, {Name: "b", Image: "app"}}})
	}
	for len(engine.Running()) < 2*tasks {
		time.Sleep(10 * time.Millisecond)
	}
	var id string
	for _, labels := range engine.Running() {
		id = labels["berth.endpoint"]
	}
	handler := endpoint.Handler(a, nil)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = r.URL.RawQuery + ":1"
		handler.ServeHTTP(w, r)
	}))
	b.Cleanup(other.Close)
	for _, path := range []string{"/v4/ID", "/v4/ID/task", "/v3/ID/task", "/v4/unknown", "/v4/ID/task of another agent"} {
		path, ofAnother := strings.CutSuffix(path, " of another agent")
		b.Run(strings.ReplaceAll(path[1:], "/", "-")+map[bool]string{true: "-of-another-agent"}[ofAnother], func(b *testing.B) {
			handler := handler
			if ofAnother {
				handler = endpoint.Handler(nobodys{a}, agents{netip.MustParseAddrPort(other.Listener.Addr().String())})
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = r.URL.RawQuery + ":1" // so that none is limited
				handler.ServeHTTP(w, r)
			}))
			defer s.Close()
			for i := 0; b.Loop(); i++ {
				r, err := s.Client().Get(s.URL + strings.Replace(path, "ID", id, 1) + fmt.Sprintf("?10.0.%d.%d", i/50/250%250, i/50%250))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode == http.StatusTooManyRequests {
					b.Fatal(r.Status, err)
				}
				r.Body.Close()
			}
		})
	}
}

// nobodys is an agent that has no tasks.
type nobodys struct{ endpoint.Machine }

func (nobodys) Caller(string) (agent.Caller, bool) { return agent.Caller{}, false }

// agents are the other ones.
type agents []netip.AddrPort

func (a agents) Peers(context.Context) []netip.AddrPort { return a }
