package simulate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"berth/internal/provider"
)

// Order is a member of Fargate's pool to launch, as an instance provider is asked for it.
type Order struct {
	ID, Zone, Architecture string
	CPUUnits, MemoryMiB    int
	Token                  string // lets the member join, once
}

// Trade gets the key of a container instance for a token, and the cluster that it joins.
type Trade func(ctx context.Context, token string) (id, secret, cluster string, err error)

// Pool hosts simulated members of Fargate's pool. It is the provider's other end: members come and go as they are asked for. Its methods may be called concurrently
// while Run runs.
type Pool struct {
	*Fleet // without instances of its own: its numbers and connections
	trade  Trade

	mu      sync.Mutex
	ctx     context.Context // of Run, nil while it does not run
	members map[string]*member
	wg      sync.WaitGroup
}

// member is a member that was launched.
type member struct {
	ready  chan struct{} // closed when it has joined, or has not
	err    error         // of its launch
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing of it runs any more
}

// NewPool returns a pool whose members behave as c says; c's Instances, Cluster, sizes and Join are not used.
func NewPool(c Config, trade Trade) *Pool {
	c.Instances = 0
	f := New(c)
	f.keep(mostMembers)
	return &Pool{Fleet: f, trade: trade, members: map[string]*member{}}
}

// mostMembers is how many members keep a connection for their calls open.
const mostMembers = 1000

var errNotRunning = errors.New("the pool is ending")

// Run lets members live until ctx ends, and waits for all of them.
func (p *Pool) Run(ctx context.Context) {
	p.mu.Lock()
	p.ctx = ctx
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.wg.Wait()
	p.api.CloseIdleConnections()
}

// Launch makes a member, which registers by itself when it has a key. It is no error that it is there already.
func (p *Pool) Launch(ctx context.Context, o Order) error {
	if err := provider.CheckID(o.ID); err != nil {
		return err
	}
	if o.CPUUnits <= 0 || o.MemoryMiB <= 0 || o.Zone == "" || o.Architecture == "" {
		return errors.New("a member has a size, a zone and an architecture")
	}
	p.mu.Lock()
	m, known := p.members[o.ID]
	live := p.ctx
	switch {
	case live == nil:
		p.mu.Unlock()
		return errNotRunning
	case !known:
		m = &member{ready: make(chan struct{}), done: make(chan struct{})}
		live, m.cancel = context.WithCancel(live)
		p.members[o.ID] = m
		p.wg.Add(1)
	}
	p.mu.Unlock()
	if known {
		select {
		case <-m.ready:
			return m.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	i, err := p.joined(ctx, o)
	m.err = err
	close(m.ready)
	if err != nil {
		m.cancel()
		p.forget(o.ID, m)
		return err
	}
	go p.host(live, i, o.ID, m)
	return nil
}

// joined makes a member's instance with a key of its own.
func (p *Pool) joined(ctx context.Context, o Order) (*instance, error) {
	id, secret, cluster, err := p.trade(ctx, o.Token)
	if err != nil {
		return nil, err
	}
	i := &instance{
		fleet: p.Fleet, name: o.ID, machine: machine{cluster, o.Zone, o.Architecture, o.CPUUnits, o.MemoryMiB, o.ID}, tasks: map[string]*task{},
		join: func(context.Context) (string, string, error) { return "", "", errors.New("a member joins once") },
	}
	i.key.id, i.key.secret, i.key.region = id, secret, p.Region
	return i, nil
}

// host is a member's life: until it is terminated, or its instance was deregistered.
func (p *Pool) host(ctx context.Context, i *instance, id string, m *member) {
	defer p.forget(id, m)
	defer i.gone()
	err := i.register(ctx)
	if err == nil {
		err = i.sessions(ctx)
	}
	if ctx.Err() == nil {
		p.Log.Info("a member ended", "member", id, "err", err)
	}
}

// forget ends a member's record.
func (p *Pool) forget(id string, m *member) {
	p.mu.Lock()
	delete(p.members, id)
	p.mu.Unlock()
	close(m.done)
	p.wg.Done()
}

// gone takes an instance that is gone with all that ran on it out of the numbers.
func (i *instance) gone() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fleet.Tasks.Add(-int64(len(i.tasks)))
	if i.arn != "" {
		i.fleet.Registered.Add(-1)
	}
}

// Terminate ends a member with all that it runs. It is no error that there is none of that id.
func (p *Pool) Terminate(ctx context.Context, id string) error {
	if err := provider.CheckID(id); err != nil {
		return err
	}
	p.mu.Lock()
	m := p.members[id]
	p.mu.Unlock()
	if m == nil {
		return nil
	}
	m.cancel()
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("terminate %s: %w", id, ctx.Err())
	}
}

// List names the members.
func (p *Pool) List() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.members))
}
