package awslogs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"berth/internal/access"
	"berth/internal/agent"
	api "berth/internal/api/logs"
	"berth/internal/frontdoor"
	"berth/internal/logstore"
	"berth/internal/sdkhttp"
	"berth/internal/state/statetest"
)

const task = "arn:aws:ecs:us-east-1:000000000000:task/demo/0123456789abcdef0123456789abcdef"

// plane is CloudWatch Logs as the control plane serves it, and a driver that sends there.
type plane struct {
	*Driver
	client *cwl.Client
	reader *written
	disk   *disk
	store  *logstore.Store
	broken atomic.Int64 // so many requests are answered with 503
	most   atomic.Int64 // longer requests are refused, where it is not 0
	format atomic.Value // that the last request said its events have
}

func newPlane(t testing.TB) *plane {
	t.Helper()
	disk := &disk{FS: vfs.NewMem()}
	disk.free.Store(2)
	kept, err := logstore.Open(logstore.Config{Dir: "logs", FS: disk, MinFree: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
	served := api.New(api.Config{State: statetest.Open(t), Streams: kept, Groups: kept})
	door := frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{served.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: access.Admin("000000000000")})
	p := &plane{reader: &written{more: make(chan struct{}, 1)}, disk: disk, store: kept}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutLogEvents") {
			p.format.Store(r.Header.Get("X-Amzn-Logs-Format"))
			if most := p.most.Load(); most > 0 && r.ContentLength > most {
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				fmt.Fprint(w, `{"__type":"RequestEntityTooLargeException","message":"too long"}`)
				return
			}
			if p.broken.Add(-1) >= 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
		}
		door.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	credentials := func(_ context.Context, of string) (aws.Credentials, error) {
		if of != task {
			return aws.Credentials{}, fmt.Errorf("credentials of %s were asked for", of)
		}
		return aws.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}, nil
	}
	p.Driver = New(Config{Reader: p.reader, Endpoint: func() string { return server.URL }, Credentials: credentials, Region: "us-east-1"})
	p.client = cwl.New(cwl.Options{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: sdkhttp.New(), Credentials: aws.CredentialsProviderFunc(
		func(ctx context.Context) (aws.Credentials, error) { return credentials(ctx, task) })})
	return p
}

// disk is one that may be full.
type disk struct {
	vfs.FS
	free atomic.Uint64 // bytes
}

func (d *disk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free.Load()}, nil
}

// group makes a log group.
func (p *plane) group(t testing.TB, name string) {
	t.Helper()
	if _, err := p.client.CreateLogGroup(t.Context(), &cwl.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		t.Fatal(err)
	}
}

// stream is what is in a stream.
func (p *plane) stream(t testing.TB, group, name string) (texts []string) {
	t.Helper()
	out, err := p.client.GetLogEvents(t.Context(), &cwl.GetLogEventsInput{LogGroupName: &group, LogStreamName: &name, StartFromHead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range out.Events {
		texts = append(texts, *e.Message)
	}
	return texts
}

// written is the log of a container, as an engine keeps it.
type written struct {
	mu    sync.Mutex
	lines []agent.LogLine
	ended bool
	more  chan struct{}
}

func (w *written) write(at time.Time, texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range texts {
		w.lines = append(w.lines, agent.LogLine{At: at, Text: []byte(text)})
	}
	signal(w.more)
}

func (w *written) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	signal(w.more)
}

func (w *written) Lines(ctx context.Context, _ string, since time.Time, each func(agent.LogLine) error) error {
	for n := 0; ; {
		w.mu.Lock()
		lines, ended := w.lines[n:], w.ended
		n = len(w.lines)
		w.mu.Unlock()
		for _, l := range lines {
			if l.At.Before(since) {
				continue
			}
			if err := each(l); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-w.more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func source(options map[string]string) agent.LogSource {
	return agent.LogSource{Task: task, Container: "app", ID: "c0ffee", Options: options}
}

func webOptions() map[string]string {
	return map[string]string{"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
}

const webStream = "web/app/0123456789abcdef0123456789abcdef"

func TestPrepare(t *testing.T) {
	p := newPlane(t)
	err := p.Prepare(t.Context(), source(webOptions()))
	if err == nil || err.Error() != "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist." {
		t.Errorf("without a group: %v", err)
	}
	create := webOptions()
	create["awslogs-create-group"] = "true"
	for range 2 { // what is there is no error
		if err := p.Prepare(t.Context(), source(create)); err != nil {
			t.Error(err)
		}
	}
	if got := p.stream(t, "/ecs/web", webStream); len(got) != 0 {
		t.Errorf("the stream has %q", got)
	}
	p.config.Endpoint = func() string { return "http://127.0.0.1:1" }
	if err := p.Prepare(t.Context(), source(webOptions())); !errors.Is(err, agent.ErrUnavailable) {
		t.Errorf("without a control plane: %v", err)
	}
}

func TestSend(t *testing.T) {
	p := newPlane(t)
	p.group(t, "/ecs/web")
	if err := p.Prepare(t.Context(), source(webOptions())); err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-time.Minute).UTC()
	p.reader.write(begin, "one", "", "two", "broken \xff text")
	p.reader.write(begin.Add(-time.Millisecond), "a line that was late")
	p.broken.Store(2)
	var mark agent.LogMark
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	accepted := make(chan struct{}, 10)
	go func() {
		done <- p.Send(ctx, source(webOptions()), agent.LogMark{}, func(m agent.LogMark) { mark = m; accepted <- struct{}{} })
	}()
	<-accepted
	cancel() // the agent is killed
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("sending ended with %v", err)
	}
	want := []string{"a line that was late", "one", "two", "broken \ufffd text"}
	if diff := cmp.Diff(want, p.stream(t, "/ecs/web", webStream)); diff != "" {
		t.Error(diff)
	}
	if want := (agent.LogMark{At: begin.Add(-time.Millisecond), Lines: 1}); mark != want {
		t.Errorf("the mark is %v, want %v", mark, want)
	}

	mark = agent.LogMark{At: begin, Lines: 4}
	p.reader.write(begin, "of the same time")
	p.reader.write(begin.Add(time.Second), "three")
	p.reader.end()
	if err := p.Send(t.Context(), source(webOptions()), mark, func(m agent.LogMark) { mark = m }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(want, "of the same time", "three"), p.stream(t, "/ecs/web", webStream)); diff != "" {
		t.Errorf("after it goes on: %s", diff)
	}
	if want := (agent.LogMark{At: begin.Add(time.Second), Lines: 1}); mark != want {
		t.Errorf("the mark is %v, want %v", mark, want)
	}
}

// TestSendLongTexts: texts that are much longer in JSON go in more requests.
func TestSendLongTexts(t *testing.T) {
	p := newPlane(t)
	p.group(t, "/ecs/web")
	text := strings.Repeat("\x01", 60<<10)
	p.reader.write(time.Now(), text, text, text, text)
	p.most.Store(1 << 20)
	p.reader.end()
	if err := p.Send(t.Context(), source(webOptions()), agent.LogMark{}, func(agent.LogMark) {}); err != nil {
		t.Fatal(err)
	}
	if got := p.stream(t, "/ecs/web", webStream); len(got) != 4 || got[3] != text {
		t.Errorf("%d lines came", len(got))
	}
}

// TestFullStore: a store without room refuses lines, and streams, with ServiceUnavailableException. Lines wait, and come all and in their order when there is
// room again; meanwhile a container's stream cannot be made, which is tried again.
func TestFullStore(t *testing.T) {
	p := newPlane(t)
	p.group(t, "/ecs/web")
	if err := p.Prepare(t.Context(), source(webOptions())); err != nil {
		t.Fatal(err)
	}
	other := webOptions()
	other["awslogs-stream"] = "other"
	p.disk.free.Store(1)
	for !p.store.Full() { // it looks again each second, when something is written
		err := p.Prepare(t.Context(), source(other))
		if err != nil && !errors.Is(err, agent.ErrUnavailable) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		other["awslogs-stream"] += "x"
	}
	if err := p.Prepare(t.Context(), source(other)); !errors.Is(err, agent.ErrUnavailable) || !strings.Contains(err.Error(), "ServiceUnavailableException") {
		t.Errorf("a stream while the store is full: %v", err)
	}
	var want []string
	for n := range 3 * mostEvents { // more than may wait in memory
		want = append(want, fmt.Sprint("line ", n))
	}
	p.reader.write(time.Now(), want...)
	p.reader.end()
	accepted := 0
	done := make(chan error, 1)
	go func() {
		done <- p.Send(t.Context(), source(webOptions()), agent.LogMark{}, func(m agent.LogMark) { accepted = m.Lines })
	}()
	select {
	case err := <-done:
		t.Fatalf("sending ended while the store was full: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if got := p.stream(t, "/ecs/web", webStream); len(got) > 0 {
		t.Errorf("the full store has %d lines", len(got))
	}
	p.disk.free.Store(2)
	if err := <-done; err != nil || accepted != len(want) {
		t.Errorf("%d lines were accepted, %v", accepted, err)
	}
	out, err := p.client.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: aws.String("/ecs/web"), FilterPattern: aws.String(`"` + want[len(want)-1] + `"`)})
	first := p.stream(t, "/ecs/web", webStream)
	if err != nil || len(out.Events) != 1 || !slices.Equal(first, want[:len(first)]) || len(first) < mostEvents {
		t.Errorf("the first %d lines are not those that were written, or the last is missing: %v", len(first), err)
	}
}

// TestSendFormat: the format is told with the events.
func TestSendFormat(t *testing.T) {
	for _, format := range []string{"", "json/emf"} {
		p := newPlane(t)
		p.group(t, "/ecs/web")
		p.reader.write(time.Now(), "{}")
		p.reader.end()
		o := webOptions()
		o["awslogs-format"] = format
		if err := p.Send(t.Context(), source(o), agent.LogMark{}, func(agent.LogMark) {}); err != nil {
			t.Fatal(err)
		}
		if got := p.format.Load(); got != format {
			t.Errorf("format %q is told as %q", format, got)
		}
	}
}

// TestSendMakesStream: a stream that is not there any more is made again, as after a failover.
func TestSendMakesStream(t *testing.T) {
	p := newPlane(t)
	p.group(t, "/ecs/web")
	p.reader.write(time.Now(), "one")
	p.reader.end()
	if err := p.Send(t.Context(), source(webOptions()), agent.LogMark{}, func(agent.LogMark) {}); err != nil {
		t.Fatal(err)
	}
	if got := p.stream(t, "/ecs/web", webStream); !cmp.Equal(got, []string{"one"}) {
		t.Errorf("the stream has %q", got)
	}
}

// TestSendMuch: more than goes into one request, over more than a day.
func TestSendMuch(t *testing.T) {
	p := newPlane(t)
	p.group(t, "/ecs/web")
	begin := time.Now().Add(-72 * time.Hour)
	line := strings.Repeat("x", 1000)
	const lines = 2000
	for i := range lines {
		p.reader.write(begin.Add(time.Duration(i)*2*time.Minute), fmt.Sprintf("%d %s", i, line))
	}
	p.reader.end()
	if err := p.Send(t.Context(), source(webOptions()), agent.LogMark{}, func(agent.LogMark) {}); err != nil {
		t.Fatal(err)
	}
	group, token, n := "/ecs/web", (*string)(nil), 0
	for {
		out, err := p.client.FilterLogEvents(t.Context(), &cwl.FilterLogEventsInput{LogGroupName: &group, NextToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			if !strings.HasPrefix(*e.Message, fmt.Sprintf("%d ", n)) {
				t.Fatalf("line %d is %.10q", n, *e.Message)
			}
			n++
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	if n != lines {
		t.Errorf("%d lines came", n)
	}
}
