package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/events"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/mem"
	"berth/internal/state/statetest"
)

var home = arn.Scope{Region: "us-east-1", Account: "111122223333"}

// world is a store with a hub before it, behind HTTP.
type world struct {
	t      *testing.T
	store  *state.Store
	hub    *Hub
	server *httptest.Server
	stop   func()
}

func start(t *testing.T, change ...func(*Config)) *world {
	return over(t, statetest.Open(t), change...)
}

func over(t *testing.T, s *state.Store, change ...func(*Config)) *world {
	t.Helper()
	c := Config{State: s, KeepAlive: time.Hour}
	for _, f := range change {
		f(&c)
	}
	w := &world{t: t, store: s, hub: New(c)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.hub.Run(ctx) }()
	w.stop = w.hub.End
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.hub.ServeHTTP(rw, r, &frontdoor.Request{Scope: home})
	}))
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.server.Close()
	})
	return w
}

// put stores a task in its next version, in a commit of its own, and returns the commit's number.
func (w *world) put(cluster, id string, version int) uint64 {
	w.t.Helper()
	err := w.store.Update(context.Background(), func(tx *state.Tx) error {
		tx.Put(&ecs.Task{TaskArn: home.Cluster(cluster).Task(id), Version: int64(version), LastStatus: ecs.Pending, DesiredStatus: ecs.Running})
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.store.View().N
}

// client reads a stream.
type client struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func (w *world) read(query string) *client {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		w.t.Fatalf("status %s", resp.Status)
	}
	return &client{w.t, bufio.NewScanner(resp.Body), cancel}
}

// next is the next line in short: "task 1 v2", "position 7", "missed after 3", "end", "blank".
func (c *client) next() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("the stream broke off: %v", c.lines.Err())
	}
	return short(c.t, c.lines.Text())
}

func short(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return "blank"
	}
	var e struct {
		DetailType string `json:"detail-type"`
		Source     string
		Detail     struct {
			TaskArn                arn.Task
			Version, Commit, After uint64
			Reason                 string
		}
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	d := e.Detail
	switch e.DetailType {
	case events.TaskStateChange:
		return fmt.Sprintf("task %s v%d", d.TaskArn.ID(), d.Version)
	case events.Position:
		return fmt.Sprintf("position %d", d.Commit)
	case events.Missed:
		return fmt.Sprintf("missed after %d to %d", d.After, d.Commit)
	case events.End:
		return "end: " + d.Reason
	}
	return e.DetailType
}

// wants reads on until it has seen these events, leaving positions out.
func (c *client) wants(want ...string) {
	c.t.Helper()
	for len(want) > 0 {
		got := c.next()
		if strings.HasPrefix(got, "position ") {
			continue
		}
		if got != want[0] {
			c.t.Fatalf("read %q, want %q", got, want[0])
		}
		want = want[1:]
	}
}

func (c *client) at(n uint64) {
	c.t.Helper()
	if got, want := c.next(), fmt.Sprintf("position %d", n); got != want {
		c.t.Fatalf("read %q, want %q", got, want)
	}
}

func TestLive(t *testing.T) {
	w := start(t)
	n := w.put("c", "0", 1)
	c := w.read("/")
	c.at(n) // what was before is not told
	n = w.put("c", "1", 1)
	c.wants("task 1 v1")
	c.at(n)
	w.put("c", "1", 1) // the same version again is no event
	n = w.put("c", "1", 2)
	c.wants("task 1 v2")
	c.at(n)
	w.stop()
	if got := c.next(); !strings.HasPrefix(got, "end: the replica is stopping") {
		t.Errorf("last line %q", got)
	}
	if c.lines.Scan() {
		t.Errorf("after the last line: %s", c.lines.Text())
	}
	rec := httptest.NewRecorder()
	w.hub.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil), &frontdoor.Request{})
	if rec.Code != http.StatusServiceUnavailable {
		t.Errorf("a reader that comes after the end gets status %d", rec.Code)
	}
}

func TestCluster(t *testing.T) {
	w := start(t)
	byName, byARN := w.read("/?cluster=b"), w.read("/?cluster="+string(home.Cluster("b")))
	w.put("a", "1", 1)
	w.put("b", "2", 1)
	byName.wants("task 2 v1")
	byARN.wants("task 2 v1")
}

func TestResume(t *testing.T) {
	w := start(t)
	c := w.read("/")
	first := w.put("c", "1", 1)
	c.wants("task 1 v1") // or both commits might be told as one
	second := w.put("c", "2", 1)
	c.wants("task 2 v1")
	c.close()
	third := w.put("c", "3", 1) // while nobody reads
	c = w.read(fmt.Sprintf("/?after=%d", first))
	c.at(first)
	c.wants("task 2 v1", "task 3 v1")
	c = w.read(fmt.Sprintf("/?after=%d", second))
	c.at(second)
	c.wants("task 3 v1")
	c.at(third)
	c = w.read(fmt.Sprintf("/?after=%d", third+100))
	if got := c.next(); got != fmt.Sprintf("missed after 0 to %d", third) {
		t.Errorf("a commit that is not there: %q", got)
	}
}

func TestResumeTooLate(t *testing.T) {
	w := start(t, func(c *Config) { c.MaxLines = 3 })
	c := w.read("/")
	var first, kept uint64
	for i := range 8 {
		n := w.put("c", fmt.Sprint(i), 1)
		c.wants(fmt.Sprintf("task %d v1", i))
		switch i {
		case 0:
			first = n
		case 4:
			kept = n
		}
	}
	c = w.read(fmt.Sprintf("/?after=%d", first))
	if got, want := c.next(), fmt.Sprintf("missed after %d to %d", first, kept); got != want {
		t.Errorf("read %q, want %q", got, want)
	}
	c.wants("task 5 v1", "task 6 v1", "task 7 v1")
}

// TestForgotten: after the linger time nothing is made any more, and who comes back is told so.
func TestForgotten(t *testing.T) {
	w := start(t, func(c *Config) { c.Linger = time.Nanosecond })
	c := w.read("/")
	first := w.put("c", "1", 1)
	c.wants("task 1 v1")
	c.close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		w.hub.mu.Lock()
		gone := w.hub.stop == nil
		w.hub.mu.Unlock()
		if gone {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the pump goes on though nobody reads")
		}
	}
	second := w.put("c", "2", 1)
	c = w.read(fmt.Sprintf("/?after=%d", first))
	if got, want := c.next(), fmt.Sprintf("missed after %d to %d", first, second); got != want {
		t.Errorf("read %q, want %q", got, want)
	}
	w.put("c", "3", 1)
	c.wants("task 3 v1")
}

func TestKeepAlive(t *testing.T) {
	w := start(t, func(c *Config) { c.KeepAlive = 20 * time.Millisecond })
	c := w.read("/?cluster=b")
	c.at(w.store.View().N)
	if got := c.next(); got != "blank" {
		t.Errorf("read %q, want a blank line", got)
	}
	n := w.put("a", "1", 1)
	for got := "blank"; got != fmt.Sprintf("position %d", n); got = c.next() { // told though nothing of it was ours
		if got != "blank" {
			t.Fatalf("read %q", got)
		}
	}
}

// slow is a connection that takes nothing until it is opened.
type slow struct {
	httptest.ResponseRecorder
	began chan struct{}
	open  chan struct{}
}

func (s *slow) SetWriteDeadline(time.Time) error { return nil }
func (s *slow) Flush()                           {}
func (s *slow) Write(b []byte) (int, error) {
	select {
	case s.began <- struct{}{}:
	default:
	}
	<-s.open
	return s.ResponseRecorder.Write(b)
}

func TestSlowReader(t *testing.T) {
	w := start(t, func(c *Config) { c.MaxLines = 5 })
	s := &slow{*httptest.NewRecorder(), make(chan struct{}, 1), make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.hub.ServeHTTP(s, httptest.NewRequest(http.MethodGet, "/", nil), &frontdoor.Request{Scope: home})
	}()
	<-s.began // it hangs in its first line
	fast := w.read("/")
	for i := range 20 {
		w.put("c", fmt.Sprint(i), 1) // neither the store
		fast.wants(fmt.Sprintf("task %d v1", i))
	}
	close(s.open)
	<-ended
	lines := strings.Split(strings.TrimSpace(s.Body.String()), "\n")
	if got := short(t, lines[len(lines)-1]); len(lines) != 2 || !strings.HasPrefix(got, "end: the reader is too slow") {
		t.Errorf("%d lines, the last is %q", len(lines), got)
	}
	if n := w.hub.Readers(); n > 1 {
		t.Errorf("%d readers are left", n)
	}
}

// TestFollower: a replica that does not lead tells the leader's commits, with the same ids.
func TestFollower(t *testing.T) {
	cluster := mem.NewCluster()
	leader := over(t, statetest.Start(t, state.Config{Backend: cluster.Backend(), Address: "a"}))
	f := state.New(state.Config{Backend: cluster.Backend(), Address: "b"})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	follower := over(t, f)
	a, b := leader.read("/"), follower.read("/")
	leader.put("c", "1", 1)
	first := func(c *client) (id string) {
		for c.lines.Scan() {
			var e struct{ ID, Source string }
			if err := json.Unmarshal(c.lines.Bytes(), &e); err == nil && e.Source == "aws.ecs" {
				return e.ID
			}
		}
		return ""
	}
	if x, y := first(a), first(b); x == "" || x != y {
		t.Errorf("ids %q and %q", x, y)
	}
}

func TestBadQuery(t *testing.T) {
	w := start(t)
	rec := httptest.NewRecorder()
	w.hub.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/?after=x", nil), &frontdoor.Request{})
	if rec.Code != http.StatusBadRequest {
		t.Errorf("status %d", rec.Code)
	}
}
