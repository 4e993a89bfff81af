package acs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"berth/internal/acsproto"
	"berth/internal/arn"
	"berth/internal/pipenet"
)

var (
	demo = arn.Scope{Region: "us-east-1", Account: "123456789012"}.Cluster("demo")
	one  = demo.Instance("0001")
)

// control is a control plane of one instance: what is wanted is set by the test.
type control struct {
	mu        sync.Mutex
	wanted    Wanted
	manifest  []acsproto.ManifestTask
	refuse    error
	connects  int
	gone      int
	telemetry []acsproto.Message
	vended    int      // sets of credentials that were made
	roles     []string // credentials ids of the tasks
}

func (c *control) Network(arn.Instance, map[string]any) (acsproto.Network, bool) {
	return acsproto.Network{}, false
}

func (c *control) Credentials(_ arn.Instance, wanted func(string) bool) iter.Seq[acsproto.IAMRoleCredentials] {
	return func(yield func(acsproto.IAMRoleCredentials) bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, id := range c.roles {
			if !wanted(id) {
				continue
			}
			c.vended++
			cred := acsproto.IAMRoleCredentials{Task: id, RoleType: "TaskApplication"}
			cred.Credentials.CredentialsID, cred.Credentials.Expiration = id, fmt.Sprint(c.vended)
			if !yield(cred) {
				return
			}
		}
	}
}

func (c *control) Connected(context.Context, Hello) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connects++
	c.wanted.N++
	return c.wanted.N, c.refuse
}

func (c *control) Admit(Hello) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refuse
}

func (c *control) connected() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connects
}

func (c *control) Disconnected(context.Context, arn.Instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone++
}

func (c *control) Wanted(arn.Instance) Wanted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

func (c *control) Manifest(arn.Instance) (uint64, []acsproto.ManifestTask) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted.N, c.manifest
}

func (c *control) Telemetry(_ context.Context, _ arn.Instance, m acsproto.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.telemetry = append(c.telemetry, m)
}

func (c *control) set(f func(*Wanted)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted.N++
	f(&c.wanted)
}

func order(id string, stop bool) Order {
	task := demo.Task(id)
	return Order{Task: task, Stop: stop, Build: func() (acsproto.Task, error) {
		return acsproto.Task{ARN: string(task), DesiredStatus: map[bool]string{true: "STOPPED", false: "RUNNING"}[stop]}, nil
	}}
}

// machine is an agent's side that remembers what it was told.
type machine struct {
	mu       sync.Mutex
	told     []string
	refuse   error
	local    []acsproto.ManifestTask // stop candidates
	stopped  []string
	timeline []int64
	beats    int
	vended   []string // credentials
	unknown  string   // whose credentials it does not take
}

func (m *machine) Payload(_ context.Context, p acsproto.Payload) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range p.Tasks {
		m.told = append(m.told, arn.Task(t.ARN).ID()+" "+t.DesiredStatus)
	}
	return m.refuse
}

func (m *machine) Manifest(_ context.Context, t acsproto.TaskManifest) ([]acsproto.ManifestTask, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.timeline = append(m.timeline, t.Timeline)
	return m.local, nil
}

func (m *machine) StopVerified(_ context.Context, tasks []acsproto.ManifestTask) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range tasks {
		m.stopped = append(m.stopped, arn.Task(t.Task).ID())
	}
}

func (m *machine) Credentials(_ context.Context, c acsproto.IAMRoleCredentials) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vended = append(m.vended, c.Credentials.CredentialsID+" "+c.Credentials.Expiration)
	return c.Credentials.CredentialsID != m.unknown
}

func (m *machine) Network(context.Context, acsproto.Network) {}

func (m *machine) Heartbeat(context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.beats++
}

func (m *machine) heard() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told)
}

// world joins a hub and agents by a network in memory.
type world struct {
	*control
	hub     *Hub
	net     *pipenet.Network
	mux     *http.ServeMux
	stopHub func()
}

func start(t *testing.T) *world {
	w := &world{control: &control{}, net: pipenet.New()}
	w.hub = New(Config{Control: w.control})
	w.mux = http.NewServeMux()
	w.mux.HandleFunc("/acs/ws", w.hub.ServeACS)
	w.mux.HandleFunc("/tcs/ws", w.hub.ServeTCS)
	srv := &http.Server{Handler: w.mux}
	go srv.Serve(w.net) //nolint:errcheck // ends with Close
	w.runHub(t)
	t.Cleanup(func() { srv.Close(); w.net.Close() })
	return w
}

func (w *world) runHub(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.hub.Run(ctx) }()
	var once sync.Once
	w.stopHub = func() { once.Do(func() { cancel(); <-done }) }
	t.Cleanup(w.stopHub)
}

func (w *world) config(path string) AgentConfig {
	return AgentConfig{
		Endpoint: "http://berth" + path, Region: "us-east-1", Cluster: "demo", Instance: string(one), AgentVersion: "1", DockerVersion: "20",
		SendCredentials: true,
		Credentials:     credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		HTTPClient:      &http.Client{Transport: &http.Transport{DialContext: w.net.Dial}},
	}
}

// agent runs m as the instance's agent until the test or the returned function ends it.
func (w *world) agent(t *testing.T, m *machine) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := w.config("/acs/")
	go func() { done <- RunAgent(ctx, c, m) }()
	stop = sync.OnceValue(func() error { cancel(); c.HTTPClient.CloseIdleConnections(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return stop
}

func TestOrdersAreToldOnceAndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{}
		w.set(func(x *Wanted) { x.Orders = []Order{order("a", false)} })
		w.agent(t, m)
		time.Sleep(time.Second)
		w.set(func(x *Wanted) { x.Orders = append(x.Orders, order("b", false)) })
		w.hub.Notify(one)
		synctest.Wait()
		w.set(func(x *Wanted) { x.Orders = []Order{order("b", true)} }) // a runs, b is to stop
		w.hub.Notify(one)
		time.Sleep(10 * time.Minute)
		if got := m.heard(); !slices.Equal(got, []string{"a RUNNING", "b RUNNING", "b STOPPED"}) {
			t.Errorf("told %q", got)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if w.connected() != 1 || m.beats < 15 {
			t.Errorf("%d connects, %d heartbeats in ten minutes", w.connected(), m.beats)
		}
	})
}

func TestUnackedIsToldAgainUntilReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{refuse: errors.New("cannot parse")}
		w.set(func(x *Wanted) { x.Orders = []Order{order("a", false)} })
		w.agent(t, m)
		time.Sleep(5*time.Minute + time.Second) // not at the very moment of a resend
		n := len(m.heard())
		if n < 5 || n > 11 {
			t.Errorf("told %d times in five minutes", n)
		}
		w.set(func(x *Wanted) { x.Orders = nil })
		time.Sleep(5 * time.Minute)
		if got := len(m.heard()); got != n {
			t.Errorf("told %d times more after it was reported", got-n)
		}
	})
}

func TestReconnectTellsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := start(t), &machine{}
		w.set(func(x *Wanted) { x.Orders = []Order{order("a", false)} })
		w.agent(t, m)
		time.Sleep(time.Second)
		w.stopHub()
		w.runHub(t)
		time.Sleep(time.Minute)
		if got := m.heard(); len(got) != 2 {
			t.Errorf("told %q", got)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.timeline) != 2 || m.timeline[1] <= m.timeline[0] {
			t.Errorf("timelines %v do not grow", m.timeline)
		}
	})
}

func TestManifestStopsWhatIsNotWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wanted := acsproto.ManifestTask{Task: string(demo.Task("a")), DesiredStatus: "RUNNING"}
		orphan := acsproto.ManifestTask{Task: string(demo.Task("b")), DesiredStatus: "STOPPED"}
		w, m := start(t), &machine{local: []acsproto.ManifestTask{wanted, orphan}}
		w.set(func(*Wanted) { w.manifest = []acsproto.ManifestTask{wanted} })
		w.agent(t, m)
		time.Sleep(time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		if !slices.Equal(m.stopped, []string{"b"}) {
			t.Errorf("stopped %q", m.stopped)
		}
	})
}

func TestNewestSessionWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		first, second := &machine{}, &machine{}
		stopFirst := w.agent(t, first)
		time.Sleep(time.Second)
		w.agent(t, second)
		time.Sleep(100 * time.Millisecond)
		_ = stopFirst()
		time.Sleep(time.Second)
		w.control.mu.Lock()
		gone := w.gone
		w.control.mu.Unlock()
		if gone != 0 || !w.hub.Has(one) {
			t.Errorf("disconnected %d times, has a session: %v", gone, w.hub.Has(one))
		}
	})
}

func TestInactiveInstanceIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.refuse = &Refusal{InactiveInstance, "The container instance is inactive."}
		c := w.config("/acs/")
		defer c.HTTPClient.CloseIdleConnections()
		if err := RunAgent(t.Context(), c, &machine{}); !errors.Is(err, ErrInactive) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeadAgentIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		c := w.config("/acs/")
		conn, err := c.dial(t.Context(), map[string][]string{"containerInstanceArn": {string(one)}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if !w.hub.Has(one) {
			t.Fatal("no session")
		}
		time.Sleep(3 * time.Minute) // it reads nothing and answers no heartbeat
		if w.hub.Has(one) {
			t.Error("a silent agent still has a session")
		}
		conn.CloseNow() //nolint:errcheck // for the bubble's end
		c.HTTPClient.CloseIdleConnections()
		synctest.Wait()
		w.control.mu.Lock()
		defer w.control.mu.Unlock()
		if w.gone != 1 {
			t.Errorf("disconnected %d times", w.gone)
		}
	})
}

// samples is telemetry of n tasks.
type samples struct{ tasks int }

func (s samples) Metrics(time.Time) []acsproto.TaskMetrics {
	return make([]acsproto.TaskMetrics, s.tasks)
}
func (s samples) Health(time.Time) []acsproto.TaskHealth       { return make([]acsproto.TaskHealth, 1) }
func (s samples) Statuses(time.Time) []acsproto.InstanceStatus { return nil }

func TestTelemetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		ctx, cancel := context.WithCancel(t.Context())
		c, changed, done := w.config("/tcs/"), make(chan struct{}, 1), make(chan error, 1)
		go func() { done <- RunTelemetry(ctx, c, samples{tasks: 25}, changed) }()
		time.Sleep(time.Second)
		changed <- struct{}{}
		time.Sleep(time.Second)
		cancel()
		<-done
		c.HTTPClient.CloseIdleConnections()
		var sizes []int
		health, fin := 0, 0
		w.control.mu.Lock()
		defer w.control.mu.Unlock()
		for _, m := range w.telemetry {
			switch m := m.(type) {
			case acsproto.PublishMetrics:
				sizes = append(sizes, len(m.TaskMetrics))
				if m.Metadata.Fin {
					fin++
				}
			case acsproto.PublishHealth:
				health++
			}
		}
		if !slices.Equal(sizes, []int{10, 10, 5}) || fin != 1 || health != 2 {
			t.Errorf("metrics %v with %d fin, %d health", sizes, fin, health)
		}
	})
}
