package trace

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.opentelemetry.io/otel/sdk/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	v1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

var demo = arn.Scope{Region: "us-east-1", Account: "111122223333"}.Cluster("demo")

// fake is a collector that remembers the spans that it takes.
type fake struct {
	mu     sync.Mutex
	path   string
	spans  []*v1.Span
	status int // what it answers instead, where it is not 0
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status != 0 {
		w.WriteHeader(f.status)
		return
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	var in collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(b, &in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.path = r.URL.Path
	for _, rs := range in.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			f.spans = append(f.spans, ss.Spans...)
		}
	}
}

func at(seconds float64) *time.Time {
	t := time.Unix(1772600000, 0).Add(time.Duration(seconds * float64(time.Second))).UTC()
	return &t
}

// run runs a tracer over a store; the function that it returns ends it, so that all spans are at the collector then.
func run(t *testing.T, s *state.Store, url string, log *slog.Logger) (*Tracer, func()) {
	t.Helper()
	tracer, err := New(Config{State: s, URL: url, Version: "v1", Instance: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tracer.Run(ctx) }()
	// It follows once a task that runs is forgotten; until then commits may come before its subscription.
	for n := 1; ; n++ {
		tracer.Told(demo.Task("0"), false)
		put(t, s, task("0", func(x *ecs.Task) { x.Version = int64(n) }), task("0", func(x *ecs.Task) { x.LastStatus = ecs.Running }))
		if gone(tracer, 50*time.Millisecond) {
			break
		}
		if n > 1000 {
			t.Fatal("the tracer does not follow the commits")
		}
	}
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return tracer, stop
}

func put(t *testing.T, s *state.Store, records ...ecs.Record) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func task(id string, change func(*ecs.Task)) *ecs.Task {
	x := &ecs.Task{
		TaskArn: demo.Task(id), Service: demo.Service("web"), StartedBy: "ecs-svc/1", TaskDefinitionArn: arn.ScopeOf(demo).TaskDefinition("web", 7),
		ContainerInstanceArn: demo.Instance("i"), CreatedAt: *at(2), DesiredStatus: ecs.Running, LastStatus: ecs.Pending, Version: 1,
	}
	if change != nil {
		change(x)
	}
	return x
}

func service(d ecs.Deployment) *ecs.Service {
	d.ID = "ecs-svc/1"
	return &ecs.Service{ServiceArn: demo.Service("web"), Status: ecs.Active, Deployments: []ecs.Deployment{d}}
}

func running(x *ecs.Task) {
	x.LastStatus, x.Version = ecs.Running, 2
	x.PullStartedAt, x.PullStoppedAt, x.StartedAt = at(3), at(5), at(6.5)
}

// told are the steps of a journey in text, seconds from the beginning of the tests' time.
func told(j journey) string {
	since := func(t time.Time) float64 { return t.Sub(*at(0)).Seconds() }
	out := []string{fmt.Sprintf("task %v-%v", since(j.begin), since(j.end))}
	for _, s := range j.steps {
		out = append(out, fmt.Sprintf("%s %v-%v", s.name, since(s.begin), since(s.end)))
	}
	return strings.Join(out, ", ")
}

func TestWay(t *testing.T) {
	rollout := service(ecs.Deployment{CreatedAt: *at(0), RolloutState: types.DeploymentRolloutStateInProgress})
	over := service(ecs.Deployment{CreatedAt: *at(0), UpdatedAt: *at(1), RolloutState: types.DeploymentRolloutStateCompleted})
	just := service(ecs.Deployment{CreatedAt: *at(0), UpdatedAt: *at(7), RolloutState: types.DeploymentRolloutStateCompleted})
	agent := times{*at(2.5), *at(2.75)}
	for name, c := range map[string]struct {
		task *ecs.Task
		s    *ecs.Service
		told times
		want string
	}{
		"all is known":                        {task("1", running), rollout, agent, "task 0-6.5, place 0-2, send 2-2.5, ack 2.5-2.75, pull 3-5, start 5-6.5"},
		"the deployment is completed with it": {task("1", running), just, agent, "task 0-6.5, place 0-2, send 2-2.5, ack 2.5-2.75, pull 3-5, start 5-6.5"},
		"a replacement":                       {task("1", running), over, agent, "task 2-6.5, send 2-2.5, ack 2.5-2.75, pull 3-5, start 5-6.5"},
		"of its own":                          {task("1", running), nil, agent, "task 2-6.5, send 2-2.5, ack 2.5-2.75, pull 3-5, start 5-6.5"},
		"sent by another leader":              {task("1", running), rollout, times{}, "task 0-6.5, place 0-2, pull 3-5, start 5-6.5"},
		"never acked":                         {task("1", running), rollout, times{sent: *at(2.5)}, "task 0-6.5, place 0-2, send 2-2.5, pull 3-5, start 5-6.5"},
		"nothing to pull": {task("1", func(x *ecs.Task) { running(x); x.PullStartedAt, x.PullStoppedAt = nil, nil }), rollout, agent,
			"task 0-6.5, place 0-2, send 2-2.5, ack 2.5-2.75, start 2.75-6.5"},
		"a clock that is off": {task("1", func(x *ecs.Task) { running(x); x.PullStoppedAt = at(1) }), rollout, agent,
			"task 0-6.5, place 0-2, send 2-2.5, ack 2.5-2.75, start 2.75-6.5"},
		"never ran": {task("1", func(x *ecs.Task) { x.LastStatus, x.StoppedAt = ecs.Stopped, at(4) }), rollout, agent,
			"task 0-4, place 0-2, send 2-2.5, ack 2.5-2.75"},
	} {
		if got := told(way(c.task, c.s, c.told)); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

// TestCollector follows a store into a collector that speaks OTLP.
func TestCollector(t *testing.T) {
	f := &fake{}
	srv := httptest.NewServer(f)
	defer srv.Close()
	s := statetest.Open(t)
	tracer, stop := run(t, s, srv.URL, nil)
	put(t, s, service(ecs.Deployment{CreatedAt: *at(0), RolloutState: types.DeploymentRolloutStateInProgress}), task("1", nil), task("2", nil), task("3", nil))
	tracer.Told(demo.Task("1"), false)
	tracer.Told(demo.Task("1"), true)
	tracer.Told(demo.Task("2"), false)
	tracer.Told(demo.Task("9"), true) // was never sent from here
	put(t, s, task("1", running))
	put(t, s, task("1", func(x *ecs.Task) { running(x); x.LastStatus, x.StoppedAt = ecs.Stopped, at(9) })) // no second trace
	put(t, s, task("2", func(x *ecs.Task) {
		x.LastStatus, x.StoppedAt, x.StopCode, x.StoppedReason = ecs.Stopped, at(4), types.TaskStopCodeTaskFailedToStart, "CannotPullContainerError"
	}))
	if !gone(tracer, time.Minute) {
		t.Fatal("the task's trace is not made")
	}
	stop()

	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path != "/v1/traces" {
		t.Errorf("path %q", f.path)
	}
	byTrace := map[string][]*v1.Span{}
	for _, x := range f.spans {
		byTrace[hex.EncodeToString(x.TraceId)] = append(byTrace[hex.EncodeToString(x.TraceId)], x)
	}
	if len(byTrace) != 3 { // with that of the task that showed that it follows
		t.Fatalf("%d traces, want 3", len(byTrace))
	}
	id, _ := identities{}.NewIDs(named(t.Context(), task("1", nil), "task"))
	ran := byTrace[id.String()]
	if got := names(ran); got != "ack place pull send start task" {
		t.Errorf("spans of the task that runs: %s", got)
	}
	root := ran[slices.IndexFunc(ran, func(x *v1.Span) bool { return x.Name == "task" })]
	for _, x := range ran {
		if x != root && !bytes.Equal(x.ParentSpanId, root.SpanId) {
			t.Errorf("%s is not the task's own", x.Name)
		}
	}
	if root.StartTimeUnixNano != uint64(at(0).UnixNano()) || root.EndTimeUnixNano != uint64(at(6.5).UnixNano()) || len(root.ParentSpanId) != 0 {
		t.Errorf("root %v", root)
	}
	attributes := map[string]string{}
	for _, a := range root.Attributes {
		attributes[a.Key] = a.Value.GetStringValue()
	}
	if attributes["aws.ecs.task.arn"] != string(demo.Task("1")) || attributes["aws.ecs.service.arn"] != string(demo.Service("web")) {
		t.Errorf("attributes %v", attributes)
	}
	id, _ = identities{}.NewIDs(named(t.Context(), task("2", nil), "task"))
	failed := byTrace[id.String()]
	i := slices.IndexFunc(failed, func(x *v1.Span) bool { return x.Name == "task" })
	if i < 0 || failed[i].Status.GetCode() != v1.Status_STATUS_CODE_ERROR || !strings.Contains(failed[i].Status.Message, "CannotPull") {
		t.Errorf("the task that never ran: %v", failed)
	}
}

func names(spans []*v1.Span) string {
	slices.SortFunc(spans, func(a, b *v1.Span) int { return cmp.Compare(a.Name, b.Name) })
	var out []string
	for _, x := range spans {
		out = append(out, x.Name)
	}
	return strings.Join(out, " ")
}

// gone waits until the tracer has made the traces of all tasks that it was told of.
func gone(x *Tracer, within time.Duration) bool {
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		x.mu.Lock()
		n := len(x.told)
		x.mu.Unlock()
		if n == 0 {
			return true
		}
	}
	return false
}

// TestRefused: a collector that takes nothing is told in the log, and disturbs nobody.
func TestRefused(t *testing.T) {
	srv := httptest.NewServer(&fake{status: http.StatusBadRequest})
	defer srv.Close()
	s := statetest.Open(t)
	var log bytes.Buffer
	tracer, stop := run(t, s, srv.URL, slog.New(slog.NewTextHandler(&log, nil)))
	tracer.Told(demo.Task("1"), false)
	put(t, s, task("1", running))
	if !gone(tracer, time.Minute) {
		t.Fatal("the task's trace is not made")
	}
	stop()
	if !strings.Contains(log.String(), "the collector did not take spans") {
		t.Errorf("logged %s", log.String())
	}
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"http://h:4318": "http://h:4318/v1/traces", "https://h/": "https://h/v1/traces", "http://h/mine": "http://h/mine",
		"h:4318": "", "ftp://h": "", "": "",
	} {
		x, err := New(Config{URL: in})
		if (err != nil) != (want == "") || err == nil && x.URL != want {
			t.Errorf("%q: %v, %v", in, x, err)
		}
	}
}

var _ trace.IDGenerator = identities{}
