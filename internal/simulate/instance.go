package simulate

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/sync/errgroup"

	"berth/internal/acs"
	"berth/internal/acsproto"
)

// instance is one simulated container instance.
type instance struct {
	fleet *Fleet
	name  string // in logs
	machine
	join  func(context.Context) (id, secret string, err error)
	lines lines

	mu        sync.Mutex
	ctx       context.Context // of the sessions, nil before them
	key       signer
	arn       string
	tasks     map[string]*task
	timeline  int64   // of the newest manifest or payload
	queue     []*task // have something to report
	reporting bool
	wg        sync.WaitGroup // timers and the reporter
}

// task is one task of an instance. Its fields are guarded by the instance's mu.
type task struct {
	arn, family, revision string
	containers            []string
	attachment            string // ARN of its network interface's, "" where it has none
	checked               bool   // has a health check
	status                string // PENDING, RUNNING, STOPPED
	exit                  int
	stopping              bool
	queued                bool
	began                 time.Time
}

// machine is what an instance says of itself.
type machine struct {
	cluster             string // name or ARN
	zone                string
	architecture        string
	cpuUnits, memoryMiB int
	member              string // its id in Fargate's pool, "" of an instance that is in none
}

// newInstance makes the n-th instance of a fleet.
func newInstance(f *Fleet, n int) *instance {
	m := machine{f.Cluster, f.Region + string(rune('a'+n%f.Zones)), "x86_64", f.CPUUnits, f.MemoryMiB, ""}
	return &instance{fleet: f, name: strconv.Itoa(n), machine: m, join: f.Join, tasks: map[string]*task{}}
}

func (i *instance) known() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.arn
}

// run keeps the sessions until ctx ends. An instance that was deregistered forgets its tasks and registers anew.
func (i *instance) run(ctx context.Context) error {
	for {
		if err := i.sessions(ctx); !errors.Is(err, acs.ErrInactive) {
			return err
		}
		i.mu.Lock()
		i.fleet.Tasks.Add(-int64(len(i.tasks)))
		i.arn, i.tasks, i.queue, i.timeline = "", map[string]*task{}, nil, 0
		i.mu.Unlock()
		i.fleet.Registered.Add(-1)
		if err := i.register(ctx); err != nil {
			return err
		}
	}
}

func (i *instance) sessions(ctx context.Context) error {
	poll, telemetry, err := i.discover(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	i.mu.Lock()
	i.ctx = ctx
	i.mu.Unlock()
	defer i.wg.Wait()
	defer cancel()
	client := i.lines.client(i.fleet)
	c := acs.AgentConfig{
		Endpoint: poll, Region: i.fleet.Region, Cluster: i.cluster, Instance: i.known(), SendCredentials: true,
		Credentials:  credentials.NewStaticCredentialsProvider(i.key.id, i.key.secret, ""),
		AgentVersion: "1.105.0", AgentHash: "simulate", DockerVersion: "simulated", Log: i.fleet.Log, HTTPClient: client,
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return acs.RunAgent(ctx, c, i) })
	if i.fleet.Telemetry {
		g.Go(func() error {
			select { // instances of one fleet do not publish all at once
			case <-time.After(rand.N(20 * time.Second)):
			case <-ctx.Done():
				return ctx.Err()
			}
			t := c
			t.Endpoint = telemetry
			return acs.RunTelemetry(ctx, t, source{i}, nil)
		})
	}
	return g.Wait()
}

// Payload starts and stops tasks.
func (i *instance) Payload(_ context.Context, p acsproto.Payload) error {
	i.fleet.Payloads.Add(1)
	i.fleet.Orders.Add(int64(len(p.Tasks)))
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range p.Tasks {
		t := &p.Tasks[n]
		if t.DesiredStatus == "STOPPED" {
			i.stop(t.ARN)
		} else if i.tasks[t.ARN] == nil {
			i.start(t)
		} else {
			i.fleet.Repeated.Add(1)
		}
	}
	i.timeline = max(i.timeline, p.Timeline, p.SeqNum)
	return nil
}

func (i *instance) start(p *acsproto.Task) {
	t := &task{arn: p.ARN, family: p.Family, revision: p.Version, status: "PENDING", began: time.Now()}
	if len(p.Interfaces) > 0 {
		t.attachment = p.Interfaces[0].AttachmentARN
	}
	for n := range p.Containers {
		t.containers = append(t.containers, p.Containers[n].Name)
		t.checked = t.checked || p.Containers[n].HealthCheckType != ""
	}
	i.tasks[t.arn] = t
	i.fleet.Tasks.Add(1)
	delay := i.fleet.StartDelay
	if i.fleet.StartSpread > 0 {
		delay += rand.N(i.fleet.StartSpread)
	}
	i.after(delay, func() {
		if t.status != "PENDING" {
			return
		}
		if rand.Float64() < i.fleet.FailureRate {
			i.fleet.Failed.Add(1)
			i.end(t, 1)
			return
		}
		t.status = "RUNNING"
		i.tell(t)
		if life := i.fleet.Life; life > 0 {
			i.after(life/2+rand.N(life), func() { i.end(t, 0) })
		}
	})
}

// after calls f with mu held: at once where there is nothing to wait for. The caller holds mu.
func (i *instance) after(d time.Duration, f func()) {
	if d <= 0 {
		f()
		return
	}
	i.wg.Add(1)
	ctx := i.ctx
	var stop func() bool
	timer := time.AfterFunc(d, func() {
		defer i.wg.Done()
		i.mu.Lock()
		defer i.mu.Unlock()
		stop()
		if ctx.Err() == nil {
			f()
		}
	})
	stop = context.AfterFunc(ctx, func() {
		if timer.Stop() {
			i.wg.Done()
		}
	})
}

// stop ends a task that should stop. One that is not known is told to have stopped.
func (i *instance) stop(arn string) {
	t := i.tasks[arn]
	if t == nil {
		t = &task{arn: arn, status: "STOPPED"}
		i.tell(t)
		return
	}
	if t.stopping {
		return
	}
	t.stopping = true
	i.after(i.fleet.StopDelay, func() { i.end(t, 143) })
}

func (i *instance) end(t *task, exit int) {
	if t.status == "STOPPED" {
		return
	}
	t.status, t.exit = "STOPPED", exit
	i.tell(t)
}

// Manifest names the local tasks that the control plane does not want.
func (i *instance) Manifest(_ context.Context, m acsproto.TaskManifest) (stop []acsproto.ManifestTask, err error) {
	i.fleet.Manifests.Add(1)
	wanted := make(map[string]bool, len(m.Tasks))
	for _, t := range m.Tasks {
		wanted[t.Task] = true
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if m.Timeline < i.timeline {
		return nil, fmt.Errorf("timeline %d is older than %d", m.Timeline, i.timeline)
	}
	i.timeline = m.Timeline
	for _, t := range i.tasks {
		if t.status != "STOPPED" && !t.stopping && !wanted[t.arn] {
			stop = append(stop, acsproto.ManifestTask{Task: t.arn, Cluster: m.Cluster, DesiredStatus: "STOPPED"})
		}
	}
	return stop, nil
}

// StopVerified stops tasks.
func (i *instance) StopVerified(_ context.Context, tasks []acsproto.ManifestTask) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, t := range tasks {
		if i.tasks[t.Task] != nil {
			i.stop(t.Task)
		}
	}
}

// Credentials takes credentials of tasks that it knows.
func (i *instance) Credentials(_ context.Context, c acsproto.IAMRoleCredentials) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tasks[c.Task] != nil
}

// Network tells of VPCs, which simulated instances have not.
func (i *instance) Network(context.Context, acsproto.Network) {}

// Heartbeat needs nothing.
func (i *instance) Heartbeat(context.Context) {}

// source is what an instance publishes.
type source struct{ *instance }

// Metrics are the usage of every running container, as an agent samples it.
func (s source) Metrics(time.Time) (out []acsproto.TaskMetrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.status != "RUNNING" {
			continue
		}
		m := acsproto.TaskMetrics{Task: t.arn, Family: t.family, Revision: t.revision}
		for _, c := range t.containers {
			cpu, memory := 1+rand.Float64()*4, 20+float64(rand.IntN(10))
			m.Containers = append(m.Containers, acsproto.ContainerMetrics{
				Name: c, CPU: acsproto.StatsSet{Max: cpu * 2, Min: cpu / 2, SampleCount: 20, Sum: cpu * 20},
				Memory: acsproto.StatsSet{Max: memory, Min: memory - 2, SampleCount: 20, Sum: memory * 20},
			})
		}
		out = append(out, m)
	}
	return out
}

// Health is that of the tasks with a health check.
func (s source) Health(now time.Time) (out []acsproto.TaskHealth) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t.status != "RUNNING" || !t.checked {
			continue
		}
		h := acsproto.TaskHealth{Task: t.arn, Family: t.family, Revision: t.revision}
		for _, c := range t.containers {
			h.Containers = append(h.Containers, acsproto.ContainerHealth{Name: c, Status: s.health(t), StatusSince: float64(now.Unix())})
		}
		out = append(out, h)
	}
	return out
}

// health is the same for a task whenever it is asked.
func (i *instance) health(t *task) string {
	h := fnv.New32a()
	h.Write([]byte(t.arn)) //nolint:errcheck // it never fails
	if float64(h.Sum32())/(1<<32) < i.fleet.UnhealthyRate {
		return "UNHEALTHY"
	}
	return "HEALTHY"
}

// Statuses say that the container runtime works.
func (s source) Statuses(now time.Time) []acsproto.InstanceStatus {
	at := float64(now.Unix())
	return []acsproto.InstanceStatus{{Kind: "ContainerRuntime", Status: "OK", LastStatusChange: at, LastUpdated: at}}
}
