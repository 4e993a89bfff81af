// Package agenttest has what an agent is tested with: an engine, a ledger and a control plane in memory, and the contract of engines as a
// suite that runs on any of them.
package agenttest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/internal/agent"
)

// Image is an image of the engine in memory: how its containers behave.
type Image struct {
	Runs       time.Duration // 0: until it is stopped
	ExitCode   int
	Stubborn   bool // SIGTERM does not end it
	Digest     string
	StartError error
	HealthyIn  time.Duration // 0: it has no health check
}

// Engine is a container engine in memory. It keeps the contract of agent.Engine. The zero value is not usable; see NewEngine.
type Engine struct {
	// Cut is asked before and after each call does its work, and by the ledger too if the test says so. It may end the caller's
	// context: the call then fails, whether or not the work was done.
	Cut func(op string)
	// Delay is how long each operation takes, by name: "create", "start", "pull", ...
	Delay map[string]time.Duration
	// PullErrors are the registry's answers, by reference. An image that is neither here nor added is pulled from Registry.
	PullErrors map[string]error
	// Logins are those that the registry takes, by reference; for others any.
	Logins   map[string]agent.Login
	Registry map[string]Image
	Runtimes []string // besides runc
	// Interfaces are the images whose containers have got a network interface from somebody else.
	Interfaces map[string]bool

	installation string

	mu         sync.Mutex
	images     map[string]Image
	containers map[string]*fakeContainer // by id
	volumes    map[string]agent.Volume
	watchers   map[*watcher]bool
	down       bool
	next       int
	pids       int // processes so far: none has the number of an earlier one
	pace       time.Duration
	stops      []map[string]string // labels of the running containers that were asked to stop
	done       map[string]int      // operations that did their work: "create NAME", "start NAME"
}

type fakeContainer struct {
	agent.Observed
	image  Image
	env    []string
	timers []*time.Timer
	done   chan struct{} // closed at its end
}

// NewEngine returns an engine that shows and tells only what has this installation's label.
func NewEngine(installation string) *Engine {
	return &Engine{installation: installation, images: map[string]Image{}, containers: map[string]*fakeContainer{}, volumes: map[string]agent.Volume{},
		watchers: map[*watcher]bool{}, done: map[string]int{}, Delay: map[string]time.Duration{},
		PullErrors: map[string]error{}, Logins: map[string]agent.Login{}, Registry: map[string]Image{}}
}

// Seam returns the engine as an agent wants it.
func (e *Engine) Seam() agent.Engine {
	return agent.Engine{Containers: e, Images: e, Volumes: e, Runtime: e}
}

// AddImage makes an image local.
func (e *Engine) AddImage(ref string, i Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images[ref] = i
}

// begin does what every call does first. The caller holds the lock if err is nil, and calls end.
func (e *Engine) begin(ctx context.Context, op string) error {
	if e.Cut != nil {
		e.Cut(op)
	}
	e.mu.Lock()
	d := max(e.Delay[op], e.pace)
	e.mu.Unlock()
	if d > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	if e.down {
		e.mu.Unlock()
		return fmt.Errorf("%s: %w", op, agent.ErrUnavailable)
	}
	return nil
}

// end gives the lock back, and fails a call whose caller has gone meanwhile.
func (e *Engine) end(ctx context.Context, op string, err error) error {
	e.mu.Unlock()
	if e.Cut != nil {
		e.Cut(op)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (e *Engine) find(handle string) *fakeContainer {
	if c := e.containers[handle]; c != nil {
		return c
	}
	for _, c := range e.containers {
		if c.Name == handle {
			return c
		}
	}
	return nil
}

// Create implements agent.Containers.
func (e *Engine) Create(ctx context.Context, s agent.Spec) (string, error) {
	if err := e.begin(ctx, "create"); err != nil {
		return "", err
	}
	id, err := e.create(s)
	return id, e.end(ctx, "create", err)
}

func (e *Engine) create(s agent.Spec) (string, error) {
	image, ok := e.images[s.Config.Image]
	switch {
	case !ok:
		return "", fmt.Errorf("no such image: %s: %w", s.Config.Image, agent.ErrNotFound)
	case e.find(s.Name) != nil:
		return "", fmt.Errorf("name %s is in use: %w", s.Name, agent.ErrNameTaken)
	}
	e.next++
	c := &fakeContainer{image: image, done: make(chan struct{})}
	c.ID, c.Name, c.Labels = fmt.Sprintf("%064x", e.next), s.Name, s.Config.Labels
	c.Facts, c.env = e.facts(s), s.Config.Env
	host := int32(32768)
	for p, bindings := range s.HostConfig.PortBindings {
		for _, b := range bindings {
			bound := agent.Binding{HostIP: "0.0.0.0", ContainerPort: int32(p.Num()), Protocol: string(p.Proto())}
			if b.HostIP.IsValid() {
				bound.HostIP = b.HostIP.String()
			}
			if _, err := fmt.Sscan(b.HostPort, &bound.HostPort); err != nil {
				bound.HostPort = host
				host++
			}
			c.Bindings = append(c.Bindings, bound)
		}
	}
	slices.SortFunc(c.Bindings, func(a, b agent.Binding) int { return cmp.Compare(a.ContainerPort, b.ContainerPort) })
	for _, b := range s.HostConfig.Binds {
		if source, _, _ := strings.Cut(b, ":"); !strings.HasPrefix(source, "/") {
			if _, there := e.volumes[source]; !there {
				e.volumes[source] = agent.Volume{Name: source, Driver: "local"}
			}
		}
	}
	e.containers[c.ID] = c
	e.done["create "+s.Name]++
	return c.ID, nil
}

// Start implements agent.Containers.
func (e *Engine) Start(ctx context.Context, id string) error {
	if err := e.begin(ctx, "start"); err != nil {
		return err
	}
	return e.end(ctx, "start", e.start(id))
}

func (e *Engine) start(id string) error {
	c := e.find(id)
	switch {
	case c == nil:
		return fmt.Errorf("start %s: %w", id, agent.ErrNotFound)
	case c.State == agent.Running:
		return nil
	case c.image.StartError != nil:
		return c.image.StartError
	}
	if c.State == agent.Exited {
		c.done = make(chan struct{})
	}
	e.done["start "+c.Name]++
	e.pids++
	c.State, c.StartedAt, c.PID = agent.Running, time.Now(), e.pids
	e.tell(agent.Event{Kind: agent.Started, ID: c.ID, Labels: c.Labels})
	if c.image.Runs > 0 {
		c.timers = append(c.timers, time.AfterFunc(c.image.Runs, func() { e.exit(c.ID, c.image.ExitCode, false) }))
	}
	if c.image.HealthyIn > 0 {
		c.Health = "UNKNOWN"
		c.timers = append(c.timers, time.AfterFunc(c.image.HealthyIn, func() { e.SetHealth(c.ID, "HEALTHY") }))
	}
	return nil
}

// exit ends a running container and tells of it.
func (e *Engine) exit(id string, code int, oom bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.find(id)
	if c == nil || c.State != agent.Running {
		return
	}
	if oom {
		c.OOMKilled = true
		e.tell(agent.Event{Kind: agent.OutOfMemory, ID: c.ID, Labels: c.Labels})
	}
	e.over(c, code)
}

func (e *Engine) over(c *fakeContainer, code int) {
	c.State, c.ExitCode, c.FinishedAt, c.Bindings, c.PID = agent.Exited, code, time.Now(), nil, 0
	for _, t := range c.timers {
		t.Stop()
	}
	close(c.done)
	e.tell(agent.Event{Kind: agent.Died, ID: c.ID, Labels: c.Labels, ExitCode: code})
}

// Exit makes a container end by itself. Handles are ids or names.
func (e *Engine) Exit(handle string, code int) { e.exit(handle, code, false) }

// Exhaust makes a container die of its memory. In a task with a limit the engine tells the others too: so it is here, for innocent.
func (e *Engine) Exhaust(handle string, innocent ...string) {
	e.mu.Lock()
	for _, h := range innocent {
		if c := e.find(h); c != nil {
			c.OOMKilled = true
			e.tell(agent.Event{Kind: agent.OutOfMemory, ID: c.ID, Labels: c.Labels})
		}
	}
	e.mu.Unlock()
	e.exit(handle, 137, true)
}

// SetHealth changes a container's health and tells of it.
func (e *Engine) SetHealth(handle, health string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.find(handle); c != nil && c.State == agent.Running {
		c.Health, c.Probe = health, &agent.Probe{Output: "it is " + health}
		if health == "UNHEALTHY" {
			c.Probe.ExitCode = 1
		}
		e.tell(agent.Event{Kind: agent.HealthChanged, ID: c.ID, Labels: c.Labels, Health: health})
	}
}

// Stop implements agent.Containers.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	if err := e.begin(ctx, "stop"); err != nil {
		return err
	}
	c := e.find(id)
	if c == nil || c.State != agent.Running {
		return e.end(ctx, "stop", nil)
	}
	e.stops = append(e.stops, c.Labels)
	if !c.image.Stubborn {
		e.over(c, 143)
		return e.end(ctx, "stop", nil)
	}
	done := c.done
	e.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-done:
	case <-time.After(grace):
	}
	e.mu.Lock()
	if c.State == agent.Running && ctx.Err() == nil {
		e.over(c, 137)
	}
	return e.end(ctx, "stop", nil)
}

// Remove implements agent.Containers.
func (e *Engine) Remove(ctx context.Context, id string) error {
	if err := e.begin(ctx, "remove"); err != nil {
		return err
	}
	e.remove(id)
	return e.end(ctx, "remove", nil)
}

func (e *Engine) remove(handle string) {
	c := e.find(handle)
	if c == nil {
		return
	}
	if c.State == agent.Running {
		e.over(c, 137)
	}
	delete(e.containers, c.ID)
	e.tell(agent.Event{Kind: agent.Destroyed, ID: c.ID, Labels: c.Labels})
}

// Vanish removes a container behind the agent's back.
func (e *Engine) Vanish(handle string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.remove(handle)
}

// Inspect implements agent.Containers.
func (e *Engine) Inspect(ctx context.Context, id string) (agent.Observed, error) {
	if err := e.begin(ctx, "inspect"); err != nil {
		return agent.Observed{}, err
	}
	c := e.find(id)
	if c == nil {
		return agent.Observed{}, e.end(ctx, "inspect", fmt.Errorf("container %s: %w", id, agent.ErrNotFound))
	}
	o := c.Observed
	return o, e.end(ctx, "inspect", nil)
}
