// Package simulate is a fleet of simulated container instances in one process. Each registers, keeps its two sessions, acks payloads and
// reports its tasks over the signed API as a real agent does; only the containers are not there. It is a client: nothing in the control plane
// knows that it is simulated.
package simulate

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Config is what a fleet is made of and how its instances behave.
type Config struct {
	Endpoint string // of the control plane, "http://host:port"
	Region   string
	Cluster  string // name
	// Join returns the access key of a new instance.
	Join func(ctx context.Context) (id, secret string, err error)

	Instances           int
	CPUUnits, MemoryMiB int // of each
	Zones               int // availability zones; default 3

	StartDelay, StartSpread time.Duration // a task runs after StartDelay and up to StartSpread more
	StopDelay               time.Duration // a task that should stop has stopped after it
	Life                    time.Duration // a task ends by itself, with exit code 0, after about so long; 0 never
	FailureRate             float64       // share of tasks that exit with code 1 instead of running
	UnhealthyRate           float64       // share of tasks with a health check that are UNHEALTHY
	DisconnectEvery         time.Duration // an instance loses its connections about so often; 0 never
	Telemetry               bool          // keep a telemetry session too
	Log                     *slog.Logger
	// Dial makes all connections; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Reported is told of every report that the control plane took. It must not wait.
	Reported func(task, status string, at time.Time)
	// Called is told how long each call of the API took. It must not wait.
	Called func(operation string, took time.Duration, err error)
}

// Fleet is the instances. Its methods may be called concurrently.
type Fleet struct {
	Config
	Numbers
	api       *http.Client
	instances []*instance
}

// Numbers count what a fleet has done and seen.
type Numbers struct {
	Registered, Tasks                                   atomic.Int64 // now
	Payloads, Orders, Running, Failed, Stopped, Reports atomic.Int64 // since the start
	Errors, Throttled, Disconnects, Manifests           atomic.Int64 // a manifest begins a session
	Repeated                                            atomic.Int64 // orders to start a task that was started before
}

// New returns a fleet; Run makes it live.
func New(c Config) *Fleet {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Zones == 0 {
		c.Zones = 3
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	f := &Fleet{Config: c}
	f.keep(c.Instances + 1)
	for n := range c.Instances {
		f.instances = append(f.instances, newInstance(f, n))
	}
	return f
}

// keep has calls made over up to n connections that are kept.
func (f *Fleet) keep(n int) {
	f.api = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n, DialContext: f.Dial, WriteBufferSize: 2 << 10, ReadBufferSize: 2 << 10, DisableCompression: true}}
}

// joining bounds how many instances join and register at once.
const joining = 32

// Register joins and registers all instances. It tries again where the control plane does not answer, until ctx ends.
func (f *Fleet) Register(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(joining)
	for _, i := range f.instances {
		g.Go(func() error { return i.register(ctx) })
	}
	return g.Wait()
}

// Run keeps the sessions of all instances until ctx ends, and waits for everything that it started.
func (f *Fleet) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, i := range f.instances {
		g.Go(func() error { return i.run(ctx) })
	}
	if f.DisconnectEvery > 0 {
		g.Go(func() error { return f.disturb(ctx) })
	}
	err := g.Wait()
	f.api.CloseIdleConnections()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// disturb cuts the connections of one instance after another.
func (f *Fleet) disturb(ctx context.Context) error {
	every := f.DisconnectEvery / time.Duration(max(1, f.Config.Instances))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(rand.ExpFloat64() * float64(every))):
			f.instances[rand.IntN(len(f.instances))].lines.cut()
			f.Disconnects.Add(1)
		}
	}
}

// lines are the open connections of an instance's sessions.
type lines struct {
	mu   sync.Mutex
	open map[net.Conn]bool
}

// client dials for one instance's websockets, so that they can be cut.
func (l *lines) client(f *Fleet) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, WriteBufferSize: 1 << 10, ReadBufferSize: 1 << 10,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := f.Dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			t := &line{Conn: c, of: l}
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.open == nil {
				l.open = map[net.Conn]bool{}
			}
			l.open[t] = true
			return t, nil
		},
	}}
}

func (l *lines) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.open {
		c.(*line).Conn.Close() //nolint:errcheck // it is being cut
	}
	clear(l.open)
}

type line struct {
	net.Conn
	of *lines
}

func (c *line) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
