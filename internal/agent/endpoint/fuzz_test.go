package endpoint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/internal/acsproto"
	"berth/internal/agent"
	"berth/internal/agent/agenttest"
	"berth/internal/agent/endpoint"
)

// secret is in all that is told of the fuzzed task, and in nothing else.
const secret = "most-secret"

// FuzzHandler: whatever is asked, it is answered, and nothing is told of a task without its container's id.
func FuzzHandler(f *testing.F) {
	for _, path := range []string{"/v4/ID", "/v4/ID/task", "/v4/ID/taskWithTags", "/v4//task", "/v3/ID/stats", "/v4/../v4/ID", "/v4/ID%2Ftask", "/v2/metadata/x",
		"/v2/stats", "/api/ID/task-protection/v1/state", "/v4/ID/associations/gpu/a/b", "/v4/%00", "/v4/ID?x=y", "//v4/ID", "/v4/ID/task/stats/"} {
		f.Add("GET", path, "", "172.17.0.2:1", "")
		f.Add("PUT", path, `{"ProtectionEnabled":true}`, "nonsense", "vpc-1")
	}
	f.Fuzz(func(t *testing.T, method, path, body, remote, vpc string) {
		r, err := http.NewRequest(method, "http://169.254.170.2", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil {
			return
		}
		r.RemoteAddr = remote
		synctest.Test(t, func(t *testing.T) {
			h, id, stop := oneTask(t)
			defer stop()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, endpoint.InVPC(r, vpc))
			if w.Code < 200 || w.Code > 599 {
				t.Errorf("%s %q: status %d", method, path, w.Code)
			}
			if bytes.Contains(w.Body.Bytes(), []byte(secret)) && !strings.Contains(path, id) {
				t.Errorf("%s %q tells %s", method, path, w.Body)
			}
			if w.Header().Get("Content-Type") == "application/json" && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %q: %s is no JSON", method, path, w.Body)
			}
		})
	})
}

// oneTask is an agent with one running task, whose family is the secret; id is its container's.
func oneTask(t *testing.T) (h http.Handler, id string, stop func()) {
	engine, control := agenttest.NewEngine("test"), agenttest.NewControl()
	engine.AddImage("app", agenttest.Image{})
	a, err := agent.New(agent.Config{
		Installation: "test", Instances: []agent.InstanceConfig{{Name: "one", Cluster: "demo"}}, Front: fronts{}, Engine: engine.Seam(), Ledger: &agenttest.Ledger{},
		API: func(agent.InstanceConfig) agent.API { return control }, RunAgent: control.RunAgent, RunTelemetry: control.RunTelemetry,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	control.Run(acsproto.Task{ARN: "arn:aws:ecs:us-east-1:123456789012:task/demo/1", Family: secret, Version: "1",
		Containers: []acsproto.Container{{Name: "a", Image: "app", Essential: true}}})
	time.Sleep(time.Second)
	for _, labels := range engine.Running() {
		id = labels["berth.endpoint"]
	}
	return endpoint.Handler(a, nil), id, func() { cancel(); <-ended }
}
