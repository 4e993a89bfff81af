package trail

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// start runs a trail until the test ends or stop is called, which waits until all is written.
func start(t *testing.T, c Config) (x *Trail, stop func()) {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	x, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		done <- nil
	}
	t.Cleanup(stop)
	return x, stop
}

// call is a call of ada's with a number as its user agent.
func call(n int) *frontdoor.Audited {
	return &frontdoor.Audited{Service: "ecs", Operation: "CreateCluster", Request: asked(ada), At: at.Add(time.Duration(n) * time.Second), UserAgent: fmt.Sprint(n)}
}

func number(t *testing.T, line []byte) string {
	t.Helper()
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return r.UserAgent
}

// TestReading: what was taken is read in both directions, over files, by whoever opens the directory next.
func TestReading(t *testing.T) {
	x, stop := start(t, Config{FileSize: 2000})
	var want []string
	for n := range 40 {
		x.Take(call(n))
		want = append(want, fmt.Sprint(n))
	}
	stop()
	if written, dropped := x.Sums(); written != 40 || dropped != 0 {
		t.Fatalf("%d written, %d dropped", written, dropped)
	}
	all, err := list(x.config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(all[0].path); info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	var got []string
	end, err := x.Onward(t.Context(), Position{}, func(line []byte) error { got = append(got, number(t, line)); return nil })
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v %q", err, got)
	}
	if last, err := x.Last(); last != end || err != nil {
		t.Errorf("the last place is %v, %v; reading ended at %v", last, err, end)
	}
	slices.Reverse(want)
	got = nil
	from := end
	for more := true; more; { // seven at a time, from where the last part ended
		more = false
		n := 0
		err := x.Newest(t.Context(), from, func(line []byte, at Position) bool {
			p, err := ParsePosition(at.String())
			if err != nil {
				t.Fatal(err)
			}
			got, from, n = append(got, number(t, line)), p, n+1
			more = n == 7
			return n < 7
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("newest first: %q", got)
	}
}

func TestParsePosition(t *testing.T) {
	for s, ok := range map[string]bool{"1:2": true, "": false, "1": false, "1:-2": false, "1:2:3": false, "x:1": false, "1:2 ": false} {
		if _, err := ParsePosition(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestPruning: the oldest files go when all are too large, and those that are too old.
func TestPruning(t *testing.T) {
	x, stop := start(t, Config{FileSize: 2000, MostSize: 6000})
	for n := range 100 {
		x.Take(call(n))
	}
	stop()
	all, err := list(x.config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, f := range all {
		total += f.size
	}
	if total > 6000 || len(all) < 2 {
		t.Errorf("%d bytes in %d files", total, len(all))
	}
	if err := os.WriteFile(filepath.Join(x.config.Dir, "README"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := all[0].at.Add(-48 * time.Hour)
	if err := os.Chtimes(all[0].path, old, old); err != nil {
		t.Fatal(err)
	}
	f := files{dir: x.config.Dir, each: 2000, most: 1 << 20, keep: 24 * time.Hour}
	if err := f.prune(time.Now()); err != nil {
		t.Fatal(err)
	}
	after, err := list(x.config.Dir)
	if err != nil || len(after) != len(all)-1 || after[0].number != all[1].number {
		t.Errorf("%v: %v of %v are left", err, after, all)
	}
	if _, err := os.Stat(filepath.Join(x.config.Dir, "README")); err != nil {
		t.Error(err)
	}
}

// TestFull: what the queue has no room for is dropped and counted, by number and by bytes, and nobody waits.
func TestFull(t *testing.T) {
	x, err := New(Config{Dir: t.TempDir(), Queue: 3, Waiting: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	large := call(0)
	large.Size = 9500
	x.Take(large) // too large with the overhead
	for n := range 5 {
		x.Take(call(n))
	}
	frequent := call(6)
	frequent.Frequent = true
	x.Take(frequent) // not wanted, so not lost
	if _, dropped := x.Sums(); dropped != 3 {
		t.Errorf("%d dropped", dropped)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if written, _ := x.Sums(); written != 3 || x.waiting.Load() != 0 {
		t.Errorf("%d written, %d bytes wait", written, x.waiting.Load())
	}
}

// TestBrokenDisk: what cannot be written is counted as lost, and what comes when the disk is well again is kept.
func TestBrokenDisk(t *testing.T) {
	x, stop := start(t, Config{})
	if err := os.RemoveAll(x.config.Dir); err != nil {
		t.Fatal(err)
	}
	x.Take(call(1))
	for _, dropped := x.Sums(); dropped == 0; _, dropped = x.Sums() {
		time.Sleep(time.Millisecond)
	}
	if err := os.MkdirAll(x.config.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	x.Take(call(2))
	stop()
	if written, dropped := x.Sums(); written != 1 || dropped != 1 {
		t.Errorf("%d written, %d dropped", written, dropped)
	}
}

// TestKilled: what a killed process has left of a line is no record, and spoils none.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "000000000007-20261130T000000Z.jsonl"), []byte(`{"eventVersion":"1.11","userId`), 0o600); err != nil {
		t.Fatal(err)
	}
	x, stop := start(t, Config{Dir: dir})
	x.Take(call(1))
	stop()
	if got := read(t, x, "limit=5"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// serve serves a trail to ada.
func serve(t *testing.T, x *Trail) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.ServeHTTP(w, r, &frontdoor.Request{Scope: region})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// read are the records that a query is answered.
func read(t *testing.T, x *Trail, query string) (got []string) {
	t.Helper()
	resp, err := http.Get(serve(t, x) + "?" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%d %v %s", resp.StatusCode, err, b)
	}
	for line := range strings.Lines(string(b)) {
		got = append(got, number(t, []byte(line)))
	}
	return got
}

func TestFilters(t *testing.T) {
	x, stop := start(t, Config{})
	for n := range 3 {
		x.Take(call(n))
	}
	failed := call(3)
	failed.Failure = apierr.ClusterNotFound()
	x.Take(failed)
	denied := call(4)
	denied.Failure = apierr.New("AccessDeniedException", "no")
	denied.Request = asked(ada, frontdoor.Decision{Action: "ecs:CreateCluster", Resource: "*", Verdict: policy.Verdict{}})
	x.Take(denied)
	pretends := call(6)
	pretends.Failure = apierr.NotRegistrar("arn:aws:iam::111122223333:user/ada", "ecs:Poll", "i")
	x.Take(pretends)
	run := runTask()
	run.UserAgent, run.At = "5", at.Add(5*time.Second)
	x.Take(run)
	x.Hand(&Handed{At: at, Service: "ecs-tasks.amazonaws.com", Role: "arn:aws:iam::111122223333:role/task", Session: "0f9d", Task: "arn:aws:ecs:x:y:task/default/0f9d", Account: "111122223333"})
	foreign := call(9)
	foreign.Request.Scope.Account = "999999999999"
	x.Take(foreign)
	stop()
	const handed = "ecs-tasks.amazonaws.com"
	for query, want := range map[string][]string{
		"":              {"0", "1", "2", "3", "4", "6", "5", handed},
		"limit=2":       {"5", handed},
		"errors=true":   {"3", "4", "6"},
		"denied=true":   {"4", "6"},
		"role=deployer": {"5"},
		"role=arn:aws:iam::111122223333:role/ops/deployer": {"5"},
		"role=task":                  {handed},
		"role=dep":                   nil,
		"user=ada&limit=1":           {"6"},
		"user=deployer":              nil,
		"principal=AROADEP":          {"5"},
		"principal=ecs-tasks":        {handed},
		"event=RunTask":              {"5"},
		"event=Run":                  nil,
		"task=0f9d":                  {"5", handed},
		"since=2026-11-30T00:22:08Z": {"3", "4", "6", "5"},
		"until=2026-11-30T00:22:06Z": {"0", "1", handed},
		"since=2026-11-30T00:22:06Z&until=2026-11-30T00:22:06Z": {"1"},
	} {
		if got := read(t, x, query); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"limit=0": "limit must be a number from 1 to 10000", "limit=x": "limit", "errors=maybe": "errors must be", "since=yesterday": "since must be a time", "follow=x": "follow must be",
	} {
		resp, err := http.Get(serve(t, x) + "?" + query)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 400 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d %s", query, resp.StatusCode, b)
		}
	}
}

// TestFollow: a reader that follows gets what is there and what comes, each once, over files, until the trail ends.
func TestFollow(t *testing.T) {
	x, stop := start(t, Config{FileSize: 1500})
	x.Take(call(0))
	for written, _ := x.Sums(); written < 1; written, _ = x.Sums() {
		time.Sleep(time.Millisecond)
	}
	resp, err := http.Get(serve(t, x) + "?follow=true")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for n := range 20 {
		line, err := lines.ReadBytes('\n')
		if err != nil || number(t, line) != fmt.Sprint(n) {
			t.Fatalf("%v: %s is not the record %d", err, line, n)
		}
		x.Take(call(n + 1))
	}
	stop()
	if rest, err := io.ReadAll(lines); err != nil || strings.Count(string(rest), "\n") > 1 {
		t.Errorf("%v: %s", err, rest)
	}
}

// BenchmarkTake is what a call pays for being taken down.
func BenchmarkTake(b *testing.B) {
	x, err := New(Config{Dir: b.TempDir(), Queue: 1 << 16, Waiting: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	a := call(1)
	b.ReportAllocs()
	for b.Loop() {
		x.Take(a)
		select {
		case <-x.queue:
		default:
		}
	}
}
