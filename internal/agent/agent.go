// Package agent is the machine's side of a cluster: it registers container instances, takes their tasks over the agent protocol, runs the
// tasks' containers on a container engine, and reports what becomes of them. What it decides is a function of a task's record (Settle,
// Next); what it only knows itself is in a ledger, so that an agent that is killed at any moment adopts what runs and starts nothing twice.
package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"berth/internal/acs"
)

// Config is what an agent is made of. Zero values take the defaults in their comments.
type Config struct {
	Installation string   // labels the containers, so that two installations do not touch each other
	Endpoints    []string // of the control plane's API, "http://host:port" of each replica; one of them is used at a time
	Region       string   // us-east-1
	Version      string   // of the agent, as told in the sessions
	Hash         string
	Instances    []InstanceConfig

	Engine Engine
	Groups Groups // nil: tasks have no control groups of their own, and no limits
	Ledger Ledger
	// Storage bounds tasks' ephemeral storage. nil: nothing does.
	Storage Storage
	API     func(InstanceConfig) API // the SDK's client with the instance's keys

	Ports   Ports   // nil: no port ranges
	Routers Routers // nil: no log routers
	Logs    Logs    // nil: no log driver awslogs
	Secrets Secrets // nil: no secrets
	// EnvironmentFiles reads them from S3. nil: there are none.
	EnvironmentFiles EnvironmentFiles
	// Registries logs in to registries of images. nil: images are pulled without.
	Registries Registries
	// Sessions serves shells and forwarded ports in containers. nil: there are none.
	Sessions Sessions
	Names    Names   // nil: the engine makes the files by which tasks with network interfaces know names, and takes its time
	Front    Front   // nil: containers do not reach the agent
	Network  Network // nil: no tasks in awsvpc mode
	// InstanceRoles vends the roles of container instances, for instance metadata. nil: it tells of none.
	InstanceRoles InstanceRoles
	IMDS          IMDS
	// Underlay is this machine's address for the traffic between tasks on several machines, "" where there is only this one.
	Underlay string
	// Clock reads the machine's clock against its sources of time. nil: it cannot be read.
	Clock func() (Clock, error)
	// Pause has the image of pause containers made where it is not there, and returns its name. nil: no namespaces of a task's own.
	Pause func(ctx context.Context) (image string, err error)

	CleanUpAfter time.Duration // 3 h; how long stopped containers stay
	PullBehavior PullBehavior  // default

	RunAgent     func(context.Context, acs.AgentConfig, acs.Orders) error                     // acs.RunAgent
	RunTelemetry func(context.Context, acs.AgentConfig, acs.Telemetry, <-chan struct{}) error // acs.RunTelemetry
	HTTPClient   *http.Client                                                                 // http.DefaultClient
	Log          *slog.Logger                                                                 // discards
}

// InstanceConfig is one local container instance.
type InstanceConfig struct {
	Name        string   // local; stays the same over restarts
	Cluster     string   // name or ARN
	HostAddress string   // where ports are published, "" on all addresses
	CPUUnits    int64    // the machine's
	MemoryMiB   int64    // the machine's, less what the system needs
	Zone        string   // availability zone, "" leaves it to the control plane
	External    bool     // an external instance (ECS Anywhere), for tasks of launch type EXTERNAL
	GPUs        []string // the ids of those that tasks are given
	Interfaces  int      // how many network interfaces its tasks can have, 0 is 1,000
	Member      string   // of the Fargate pool: the id under which an instance provider launched it
	Runtime     string   // the engine's runtime for containers of Fargate tasks, "" for the engine's default
	Attributes  map[string]string
	AccessKey   string
	SecretKey   string
	// Managed are the keys of a managed instance, which has no AccessKey: of its role, renewed. nil: it has one.
	Managed aws.CredentialsProvider
}

// Keys are those that the instance signs with.
func (c InstanceConfig) Keys() aws.CredentialsProvider {
	if c.Managed != nil {
		return c.Managed
	}
	return credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, "")
}

// launchLimit is how many containers the engine is asked to create or start at once.
const launchLimit = 8

// Agent runs the tasks of its container instances.
type Agent struct {
	Config
	endpoints *endpoints
	calls     *caller // containers' calls
	images    *imageKeeper
	launches  *semaphore.Weighted
	arrivals  chan *task     // tasks to run
	members   chan *instance // that come after the start
	listed    chan struct{}  // closed when the engine's containers have been seen for the first time
	listing   sync.Once
	choosing  sync.Mutex // one chooses host ports at a time
	stats     sampler
	looks     diskLooks
	engine    condition
	began     time.Time // when this agent was made
	roster    roster
	vpcs      *vpcs
	doors     doors
	vaults    vaults
	tags      tagCache
	measures  measures
	marks     marks

	mu        sync.Mutex
	instances []*instance
	tasks     map[string]*task // by ARN
}

// New returns an agent with what its ledger knows.
func New(c Config) (*Agent, error) {
	known := newEndpoints(c.Endpoints)
	c.defaults(known)
	a := &Agent{Config: c, endpoints: known, calls: newCaller(c.HTTPClient, known), launches: semaphore.NewWeighted(launchLimit), arrivals: make(chan *task), members: make(chan *instance), listed: make(chan struct{}), tasks: map[string]*task{},
		images: &imageKeeper{images: c.Engine.Images, behavior: c.PullBehavior, log: c.Log}}
	a.began = time.Now()
	a.engine.set(a.began, statusInitializing)
	a.vpcs = newVPCs(a)
	for _, i := range c.Instances {
		if a.instance(i.Name) != nil || i.Name == "" {
			return nil, fmt.Errorf("instance name %q is empty or there twice", i.Name)
		}
		a.instances = append(a.instances, newInstance(a, i))
	}
	if err := a.Ledger.Read(a.remember); err != nil {
		return nil, fmt.Errorf("read the agent's ledger: %w", err)
	}
	return a, nil
}

func (c *Config) defaults(known *endpoints) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.CleanUpAfter == 0 {
		c.CleanUpAfter = 3 * time.Hour
	}
	if c.PullBehavior == "" {
		c.PullBehavior = PullDefault
	}
	if c.RunAgent == nil {
		c.RunAgent = acs.RunAgent
	}
	if c.RunTelemetry == nil {
		c.RunTelemetry = acs.RunTelemetry
	}
	if c.API == nil {
		c.API = func(i InstanceConfig) API { return c.client(known, i) }
	}
}

// Run works until ctx ends, and leaves the containers running.
func (a *Agent) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, t := range a.all() {
		g.Go(func() error { t.run(ctx); return nil })
	}
	g.Go(func() error { return a.watch(ctx) })
	g.Go(func() error { return a.sample(ctx) })
	g.Go(func() error { return a.vpcs.run(ctx) })
	g.Go(func() error { return a.keepStorage(ctx) })
	if a.Logs != nil {
		g.Go(func() error { return a.keepMarks(ctx) })
	}
	for _, i := range a.present() {
		g.Go(func() error { return i.live(ctx) })
	}
	for {
		select {
		case <-ctx.Done():
			return g.Wait()
		case i := <-a.members:
			g.Go(func() error { return i.live(ctx) })
		case t := <-a.arrivals:
			g.Go(func() error { t.run(ctx); return nil })
		}
	}
}

// remember takes in one value of the ledger. What cannot be read is an error: going on would forget tasks that run.
func (a *Agent) remember(key string, value []byte) error {
	if name, ok := strings.CutPrefix(key, instancePrefix); ok {
		if in := a.instance(name); in != nil {
			return in.remember(value)
		}
		a.Log.Warn("the ledger knows an instance that is not configured", "instance", name)
		return nil
	}
	if log, ok := strings.CutPrefix(key, logPrefix); ok {
		return a.rememberMark(log, value)
	}
	if _, ok := strings.CutPrefix(key, taskPrefix); !ok {
		return fmt.Errorf("unknown key %q", key)
	}
	r, err := decodeRecord(value)
	if err != nil {
		return err
	}
	in := a.instance(r.Instance)
	if in == nil && r.Stopped() { // of one that has left: it is cleaned up
		r.Orphan = true
		in = newInstance(a, InstanceConfig{Name: r.Instance})
	}
	if in == nil {
		a.Log.Warn("the ledger knows a task of an instance that is not configured", "task", r.Task.ARN, "instance", r.Instance)
		return nil
	}
	a.tasks[r.Task.ARN] = newTask(in, r)
	return nil
}

// add takes tasks in that are not known yet: they are written down, and then run. It returns those.
func (a *Agent) add(ctx context.Context, in *instance, records []*Record) error {
	changes := map[string][]byte{}
	for _, r := range records {
		value, err := r.encode()
		if err != nil {
			return err
		}
		changes[taskPrefix+r.Task.ARN] = value
	}
	if err := a.Ledger.Write(ctx, changes); err != nil {
		return fmt.Errorf("write down %d new tasks: %w", len(records), err)
	}
	for _, r := range records {
		t := newTask(in, r)
		a.mu.Lock()
		a.tasks[t.arn] = t
		a.mu.Unlock()
		select {
		case a.arrivals <- t:
		case <-ctx.Done(): // it is in the ledger
			return ctx.Err()
		}
	}
	return nil
}

// task finds a task by ARN, nil if it is not known.
func (a *Agent) task(arn string) *task {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tasks[arn]
}

// all returns the tasks that are known.
func (a *Agent) all() []*task {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]*task, 0, len(a.tasks))
	for _, t := range a.tasks {
		list = append(list, t)
	}
	return list
}

func (a *Agent) drop(t *task) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.tasks, t.arn)
	a.doors.forget(t)
	a.vaults.forget(t)
	a.roster.remove(t.in.Name, t.arn)
}

func (a *Agent) instance(name string) *instance {
	for _, i := range a.present() {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// launch waits for a seat among those who create and start containers. The caller gives it back.
func (a *Agent) launch(ctx context.Context) (release func(), err error) {
	if err := a.launches.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { a.launches.Release(1) }, nil
}
