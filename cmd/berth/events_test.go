package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// record is an event as the stream has it.
func record(id, kind, resource, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":%q,"detail-type":%q,"source":"aws.ecs","account":"1","time":"2026-03-04T05:06:07Z","region":"r","resources":[%q],"detail":%s}`,
		id, kind, resource, detail)
}

func note(kind, detail string) string {
	return fmt.Sprintf(`{"version":"0","id":"n","detail-type":%q,"source":"berth","time":"2026-03-04T05:06:07Z","resources":[],"detail":%s}`, kind, detail)
}

func TestEventLines(t *testing.T) {
	const in, service = `"clusterArn":"arn:aws:ecs:r:1:cluster/demo"`, "arn:aws:ecs:r:1:service/demo/web"
	task := func(rest string) string {
		return record("1", "ECS Task State Change", "t", `{`+in+`,"taskArn":"arn:aws:ecs:r:1:task/demo/0123456789abcdef","group":"service:web",`+rest+`}`)
	}
	for _, c := range []struct {
		event, want string
		width       int
	}{
		{task(`"lastStatus":"RUNNING","desiredStatus":"RUNNING"`), "05:06:07 task       demo web 01234567 RUNNING", 0},
		{task(`"lastStatus":"PENDING","desiredStatus":"RUNNING"`), "05:06:07 task       demo web 01234567 PENDING (to be RUNNING)", 0},
		{task(`"lastStatus":"STOPPED","desiredStatus":"STOPPED","stopCode":"EssentialContainerExited","stoppedReason":"Essential container in task exited",
			"containers":[{"name":"a","exitCode":0},{"name":"b","exitCode":137,"reason":"OutOf\u001b[2JMemory"}]`),
			"05:06:07 task       demo web 01234567 STOPPED EssentialContainerExited: Essential container in task exited [b exit 137 OutOf?[2JMemory]", 0},
		{record("1", "ECS Container Instance State Change", "i", `{`+in+`,"containerInstanceArn":"arn:aws:ecs:r:1:container-instance/demo/fedcba9876","agentConnected":false,"status":"INACTIVE","statusReason":"lost"}`),
			"05:06:07 instance   demo fedcba98 INACTIVE disconnected lost", 0},
		{record("1", "ECS Service Action", service, `{`+in+`,"eventType":"ERROR","eventName":"SERVICE_TASK_PLACEMENT_FAILURE","reason":"RESOURCE:CPU"}`),
			"05:06:07 service    demo web ERROR TASK_PLACEMENT_FAILURE RESOURCE:CPU", 0},
		{record("1", "ECS Deployment State Change", service, `{`+in+`,"eventType":"INFO","eventName":"SERVICE_DEPLOYMENT_COMPLETED","reason":"ECS deployment ecs-svc/1 completed."}`),
			"05:06:07 deployment demo web INFO DEPLOYMENT_C…", 47},
	} {
		var e told
		if err := json.Unmarshal([]byte(c.event), &e); err != nil {
			t.Fatal(err)
		}
		if got := eventLine(e, c.width, true, time.UTC); got != c.want {
			t.Errorf("line\n%s, want\n%s", got, c.want)
		}
	}
}

// buffer is written by one goroutine and read by another.
type buffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}
func (b *buffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.Buffer.String() }

// TestFollow: three connections, of which the first breaks off within a commit and the second says that something was missed.
func TestFollow(t *testing.T) {
	one, two, three := record("1", "ECS Task State Change", "t", "{}"), record("2", "ECS Task State Change", "t", "{}"), record("3", "ECS Task State Change", "t", "{}")
	scripts := []string{
		strings.Join([]string{note("Berth Stream Position", `{"commit":5}`), one, note("Berth Stream Position", `{"commit":6}`), "", two}, "\n") + "\n",
		strings.Join([]string{note("Berth Stream Position", `{"commit":6}`), two, three, note("Berth Stream End", `{"commit":7,"reason":"too slow"}`)}, "\n") + "\n",
		note("Berth Stream Missed", `{"commit":9,"after":6,"reason":"gone"}`) + "\n",
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(asked) == len(scripts) {
			cancel()
			return
		}
		asked = append(asked, r.URL.Query().Get("after")+" "+r.URL.Query().Get("cluster"))
		fmt.Fprint(w, scripts[len(asked)-1])
	}))
	defer srv.Close()
	var out, problems buffer
	f := &follower{
		client:  &client{endpoint: srv.URL, in: installation{Region: "r"}, key: accessKey{"AKID", "secret"}},
		cluster: "demo", out: &out, problems: &problems, pause: time.Millisecond, silence: time.Minute,
	}
	f.show = func(_ []byte, e told) error { fmt.Fprint(&out, e.ID); return nil }
	if err := f.run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, ","); got != " demo,6 demo,6 demo" {
		t.Errorf("asked %q", got)
	}
	if out.String() != "123" {
		t.Errorf("shown %q", out.String())
	}
	if p := problems.String(); !strings.Contains(p, "too slow") || !strings.Contains(p, "events were missed: gone") || f.position != "9" {
		t.Errorf("position %s, problems %s", f.position, p)
	}
}

func TestFollowFailsAtFirst(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"__type":"AccessDeniedException","message":"no"}`, http.StatusForbidden)
	}))
	defer srv.Close()
	f := &follower{client: &client{endpoint: srv.URL, key: accessKey{"AKID", "secret"}}, problems: &buffer{}, silence: time.Minute}
	if err := f.run(t.Context()); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v", err)
	}
}

func TestLogFormat(t *testing.T) {
	var out bytes.Buffer
	log, err := (&observeOptions{logFormat: "json"}).logger(&out, false)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hello", "task", "t")
	log.Debug("not said")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["task"] != "t" {
		t.Errorf("logged %s (%v)", out.String(), err)
	}
	if _, err := (&observeOptions{logFormat: "xml"}).logger(&out, false); err == nil {
		t.Error("another format is taken")
	}
}
