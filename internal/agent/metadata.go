package agent

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"berth/internal/acsproto"
)

// Facts are what the engine knows of a container that has been created, and what no order tells. They are read once, when it has started.
type Facts struct {
	CreatedAt  time.Time         `json:",omitzero"`
	Image      string            `json:",omitempty"` // its name, as ordered
	ImageID    string            `json:",omitempty"`
	Labels     map[string]string `json:",omitempty"` // without Berth's own
	Networks   []NetworkFact     `json:",omitempty"`
	Mounts     []Mount           `json:",omitempty"`
	LogDriver  string            `json:",omitempty"`
	LogOptions map[string]string `json:",omitempty"`
	Driver     string            `json:",omitempty"` // of its file system: "overlay2"
}

// NetworkFact is a network of the engine's that a container is on. Addresses are "" where it has none: on the machine's own network.
type NetworkFact struct{ Name, IPv4, IPv6 string }

// Mount is a volume of a container. Name is "" for a bind mount.
type Mount struct{ Name, Source, Destination string }

// Probe is what a health check's command has said.
type Probe struct {
	ExitCode int
	Output   string
}

// Clock is the machine's clock against its sources of time.
type Clock struct {
	At           time.Time
	ErrorBound   time.Duration
	Synchronized bool
}

// Seen is a task as its containers are told of it.
type Seen struct {
	Record    *Record // a copy; what it points to is only read
	Container string  // the one that asks, "" where that is not known
	Cluster   string  // name or ARN, as configured; the ARN for a task of launch type FARGATE
	Zone      string  // availability zone, "" for external instances
	Instance  string  // the container instance's ARN
	VPC       string  // of the task's network interface, "" where it has none or it is not known
	Storage   *Space  // of a task of launch type FARGATE, nil where it is not known

	task *task
}

// Space is the ephemeral storage of a task.
type Space struct{ UsedMiB, ReservedMiB int64 }

// factsTimeout bounds how long a container waits for what the engine knows of its task.
const factsTimeout = 2 * time.Second

// gate lets one at a time in. Those who wait may give up.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try enters if nobody is inside.
func (g gate) try() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() { <-g }

// Seen finds the task of a container that asks, by the id that it was given. What the engine was not asked yet it is asked now.
func (a *Agent) Seen(ctx context.Context, id string) (*Seen, bool) {
	d, ok := a.door(id)
	if !ok {
		return nil, false
	}
	return d.task.seen(ctx, d.container), true
}

// SeenAt finds the task in awsvpc mode that has an address in a VPC.
func (a *Agent) SeenAt(ctx context.Context, vpc string, address netip.Addr) (*Seen, bool) {
	for _, t := range a.all() {
		found := false
		t.view(func(r *Record) { found = !r.Stopped() && r.at(address) && a.vpcOf(r.Task) == vpc })
		if found && vpc != "" {
			return t.seen(ctx, ""), true
		}
	}
	return nil, false
}

// at says whether the task's network interface has an address.
func (r *Record) at(address netip.Addr) bool {
	for _, i := range r.Task.Interfaces {
		for _, have := range i.IPv4Addresses {
			if a, err := netip.ParseAddr(have.PrivateAddress); err == nil && a == address.Unmap() {
				return true
			}
		}
	}
	return false
}

// vpcOf is the VPC of a task's network interface, "" where it has none or it is not known.
func (a *Agent) vpcOf(t acsproto.Task) string {
	if len(t.Interfaces) == 0 {
		return ""
	}
	return a.vpcs.vpcOf(t.Interfaces[0].ID)
}

// vpcOf is the VPC of a network interface of this machine, "" where it is not known.
func (v *vpcs) vpcOf(networkInterface string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range v.told {
		if n, ok := t.state.Interfaces[networkInterface]; ok {
			return n.VPC
		}
	}
	return ""
}

func (t *task) seen(ctx context.Context, container string) *Seen {
	limited, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	for _, name := range t.factless() {
		if limited.Err() == nil {
			t.learnFacts(limited, name)
		}
	}
	s := &Seen{Container: container, Cluster: t.cluster(), Zone: t.in.Zone, Instance: t.in.knownARN(), task: t}
	t.view(func(r *Record) { s.Record = r.copy() })
	s.VPC = t.agent.vpcOf(s.Record.Task)
	if s.Record.Task.LaunchType == "FARGATE" {
		if used, reserved, ok := t.agent.EphemeralStorage(t.arn); ok {
			s.Storage = &Space{used, reserved}
		}
	}
	return s
}

// copy is the record as it is now.
func (r *Record) copy() *Record {
	c := *r
	c.Task.Containers, c.Containers = slices.Clone(r.Task.Containers), slices.Clone(r.Containers)
	return &c
}

// factless are the containers that exist and of which the engine was not asked, or not since their health has changed.
func (t *task) factless() (names []string) {
	t.view(func(r *Record) {
		for _, c := range r.Containers {
			unprobed := c.Phase == Up && c.Probe == nil && (c.Health == "HEALTHY" || c.Health == "UNHEALTHY")
			if (c.Facts == nil || unprobed) && c.ID != "" && c.Phase >= Made {
				names = append(names, c.Name)
			}
		}
	})
	return names
}

// learnFacts asks the engine what it knows of a container. Where it does not answer, it is asked again when somebody wants to know. That alone is
// no reason to write the record down.
func (t *task) learnFacts(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	handle, _ := t.handle(name)
	o, err := t.agent.Engine.Inspect(ctx, handle)
	switch {
	case errors.Is(err, ErrNotFound):
		o.Facts = &Facts{}
	case err != nil || o.Facts == nil:
		return
	}
	t.change(name, func(r *Record, c *Container) bool {
		if c.ID == handle && (o.State == Running || c.Phase == Ended) {
			c.Facts, c.Probe = o.Facts.public(r.ordered(name)), o.Probe
			if c.Probe == nil {
				c.Probe = &Probe{}
			}
		}
		return false
	})
}

// ClockReading reads the machine's clock, false where it cannot be read.
func (a *Agent) ClockReading() (Clock, bool) {
	if a.Clock == nil {
		return Clock{}, false
	}
	c, err := a.Clock()
	return c, err == nil
}

// PublicLabels are a container's labels without those that are Berth's own.
func PublicLabels(all map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range all {
		if !strings.HasPrefix(k, "berth.") {
			out[k] = v
		}
	}
	return out
}
