package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

// full are metrics in which everything has happened once.
func full(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	m := New(r, "v1")
	c := arn.Scope{Region: "us-east-1", Account: "111122223333"}.Cluster("default")
	s := statetest.Start(t, state.Config{Backend: mem.NewCluster().Backend(), Address: "a", Observe: m.Commit},
		&ecs.Task{TaskArn: c.Task("1"), DesiredStatus: ecs.Running, LastStatus: ecs.Pending},
		&ecs.Task{TaskArn: c.Task("2"), DesiredStatus: ecs.Stopped, LastStatus: ecs.Running},
		&ecs.Service{ServiceArn: c.Service("web"), Status: ecs.Active},
		&ecs.Instance{ContainerInstanceArn: c.Instance("i"), Status: ecs.Active, Connected: true})
	m.Ask(Known{
		State: s, Database: func() (int64, int64) { return 8192, 4096 }, Sessions: func() (int, int) { return 3, 2 }, Readers: func() int { return 1 },
		Audit: func() (uint64, uint64) { return 12, 3 },
		Agents: func() AgentSums {
			return AgentSums{PayloadsSent: 7, PayloadsAcked: 6, OrdersResent: 1, Publications: 9}
		},
		Queues: map[string]func() int{"services": func() int { return 4 }},
	})
	m.AskDoor(Door{
		Load: func() frontdoor.Load {
			return frontdoor.Load{
				Classes: []frontdoor.ClassLoad{{Class: "reads", Seats: 16, Taken: 5, Waiting: 2, Waited: 8, WaitedFor: 1500 * time.Millisecond}},
				Refused: map[string]uint64{"rate": 3}, Bodies: 4096,
			}
		},
		Connections: func() (int64, int64) { return 12, 4 },
	})
	m.Requests.Observe("ecs", "CreateCluster", "", 200, 3*time.Millisecond)
	m.Requests.Observe("ecs", "CreateCluster", "ThrottlingException", 400, time.Millisecond)
	m.Requests.Observe("", "", "UnknownOperationException", 400, time.Millisecond)
	m.Look("services", time.Millisecond, nil)
	m.Look("services", time.Millisecond, errors.New("broken"))
	m.Placement(5, 2, time.Millisecond)
	m.Commit(state.Committed{Took: time.Second, Err: state.ErrUnknown})
	return m, r
}

// TestNames holds every metric of ours to Prometheus's conventions on names, units and help.
func TestNames(t *testing.T) {
	_, r := full(t)
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "berth_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestScrape reads the page as Prometheus does.
func TestScrape(t *testing.T) {
	m, _ := full(t)
	page := scrape(t, m, "127.0.0.1:1", nil, false)
	const cluster = `cluster="arn:aws:ecs:us-east-1:111122223333:cluster/default"`
	for _, want := range []string{
		`berth_tasks{` + cluster + `,desired_status="RUNNING",last_status="PENDING"} 1`,
		`berth_tasks{` + cluster + `,desired_status="STOPPED",last_status="RUNNING"} 1`,
		`berth_services{` + cluster + `,status="ACTIVE"} 1`,
		`berth_container_instances{agent_connected="true",` + cluster + `,status="ACTIVE"} 1`,
		`berth_store_records{kind="task"} 2`, `berth_store_records{kind="service"} 1`, `berth_store_records{kind="service-event"} 0`,
		`berth_store_database_bytes 8192`, `berth_store_database_in_use_bytes 4096`,
		`berth_leader 1`, `berth_store_commit_number 1`, `berth_store_lag_commits 0`, `berth_store_updates_waiting 0`,
		`berth_agent_sessions{kind="acs"} 3`, `berth_agent_sessions{kind="tcs"} 2`,
		`berth_agent_payloads_sent_total 7`, `berth_agent_payloads_acked_total 6`, `berth_agent_orders_resent_total 1`, `berth_agent_publications_total 9`,
		`berth_reconcile_queue_depth{loop="services"} 4`, `berth_event_stream_readers 1`, `berth_audit_records_total{outcome="written"} 12`, `berth_audit_records_total{outcome="lost"} 3`,
		`berth_api_request_duration_seconds_count{code="2xx",operation="CreateCluster",service="ecs"} 1`,
		`berth_api_request_duration_seconds_count{code="4xx",operation="CreateCluster",service="ecs"} 1`,
		`berth_api_request_duration_seconds_count{code="4xx",operation="unknown",service="none"} 1`,
		`berth_api_requests_throttled_total 1`, `berth_api_requests_in_flight 0`,
		`berth_api_seats{class="reads"} 16`, `berth_api_seats_taken{class="reads"} 5`, `berth_api_requests_waiting{class="reads"} 2`,
		`berth_api_requests_waited_total{class="reads"} 8`, `berth_api_request_wait_seconds_total{class="reads"} 1.5`,
		`berth_api_requests_refused_total{reason="rate"} 3`, `berth_api_request_bodies_bytes 4096`, `berth_connections 12`, `berth_connections_refused_total 4`,
		`berth_store_commit_duration_seconds_count{outcome="committed"} 1`, `berth_store_commit_duration_seconds_count{outcome="unknown"} 1`,
		`berth_store_commit_records_sum 4`, `berth_store_updates_total 1`,
		`berth_reconcile_duration_seconds_count{loop="services",outcome="failed"} 1`,
		`berth_placement_duration_seconds_count 1`, `berth_placement_tasks_total{outcome="placed"} 5`, `berth_placement_tasks_total{outcome="refused"} 2`,
		`berth_build_info{version="v1"} 1`, `go_goroutines `, `process_resident_memory_bytes `,
	} {
		if !strings.Contains("\n"+page, "\n"+want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

func scrape(t *testing.T, m *Metrics, from string, header http.Header, open bool) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.RemoteAddr = from
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	m.Handler(open).ServeHTTP(w, r)
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusOK {
		return w.Result().Status
	}
	return string(b)
}

func TestAccess(t *testing.T) {
	m := New(prometheus.NewRegistry(), "v1")
	proxied := http.Header{"X-Forwarded-For": {"203.0.113.9"}}
	for _, c := range []struct {
		from   string
		header http.Header
		open   bool
		served bool
	}{
		{"127.0.0.1:5000", nil, false, true}, {"[::1]:5000", nil, false, true}, {"[::ffff:127.0.0.1]:5000", nil, false, true},
		{"192.0.2.7:5000", nil, false, false}, {"192.0.2.7:5000", nil, true, true},
		{"127.0.0.1:5000", proxied, false, false}, {"pipe", nil, false, false},
	} {
		if got := !strings.HasPrefix(scrape(t, m, c.from, c.header, c.open), "403"); got != c.served {
			t.Errorf("from %s %v, open %v: served %v", c.from, c.header, c.open, got)
		}
	}
}

func TestInFlight(t *testing.T) {
	m := New(prometheus.NewRegistry(), "v1")
	var during float64
	h := m.Requests.InFlight(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during = testutil.ToFloat64(m.Requests.inFlight) }), "/acs/ws")
	for path, want := range map[string]float64{"/": 1, "/acs/ws": 0} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		if after := testutil.ToFloat64(m.Requests.inFlight); during != want || after != 0 {
			t.Errorf("%s: %v during, %v after", path, during, after)
		}
	}
}

// TestConcurrentRequests resolves the same labels from many goroutines.
func TestConcurrentRequests(t *testing.T) {
	m := New(prometheus.NewRegistry(), "v1")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, name := range []string{"A", "B", "C"} {
				for _, status := range []int{200, 400, 503} {
					m.Requests.Observe("ecs", name, "", status, time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	if n := testutil.CollectAndCount(m.Requests.durations); n != 9 {
		t.Errorf("%d series, want 9", n)
	}
	if !strings.Contains(scrape(t, m, "127.0.0.1:1", nil, false), `berth_api_request_duration_seconds_count{code="5xx",operation="C",service="ecs"} 8`) {
		t.Error("observations are lost")
	}
}

// BenchmarkRequest is what a request costs for the metrics.
func BenchmarkRequest(b *testing.B) {
	m := New(prometheus.NewRegistry(), "v1")
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Requests.Observe("ecs", "SubmitTaskStateChange", "", 200, 300*time.Microsecond)
		}
	})
}

// BenchmarkCommit is what a commit costs for the metrics.
func BenchmarkCommit(b *testing.B) {
	m := New(prometheus.NewRegistry(), "v1")
	b.ReportAllocs()
	for b.Loop() {
		m.Commit(state.Committed{Records: 100, Bytes: 60_000, Updates: 30, Took: 5 * time.Millisecond})
	}
}
