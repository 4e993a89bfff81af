package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"berth/internal/acs"
)

// reportLimit is how many tasks of an instance report at once.
const reportLimit = 10

// instance is one local container instance.
type instance struct {
	InstanceConfig
	agent    *Agent
	api      API
	log      *slog.Logger
	reports  *semaphore.Weighted
	health   chan struct{}   // size 1: a container's health has changed
	openings chan opening    // sessions in containers that are to begin
	left     context.Context // ends when the instance leaves the agent
	leave    func()
	role     roleCache
	rights   rights

	mu       sync.Mutex
	identity identity
	seen     int64 // the highest number of a payload
	manifest bool  // one has come since the agent started
}

// identity is what is kept of an instance.
type identity struct {
	ARN         string
	Cluster     string // that it registered in
	ClientToken string // of the registration that is under way
	Timeline    int64  // of the last manifest
	EC2         EC2Identity
}

func newInstance(a *Agent, c InstanceConfig) *instance {
	left, leave := context.WithCancel(context.Background())
	return &instance{left: left, leave: leave, InstanceConfig: c, agent: a, api: a.API(c), log: a.Log.With("instance", c.Name), reports: semaphore.NewWeighted(reportLimit),
		health: make(chan struct{}, 1), openings: make(chan opening, mostOpenings),
		role: roleCache{one: newGate()}}
}

// run registers the instance and keeps its sessions. When the control plane does not know it any more, its tasks are stopped and it
// registers anew.
func (i *instance) run(ctx context.Context) error {
	for {
		err := i.register(ctx)
		if err == nil {
			err = i.serve(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, acs.ErrInactive):
			return fmt.Errorf("container instance %s: %w", i.Name, err)
		}
		i.log.Warn("the control plane does not know the instance any more: its tasks stop", "arn", i.knownARN())
		if err := i.orphan(ctx); err != nil {
			return err
		}
		if i.Member != "" { // whoever launched it terminates it
			<-ctx.Done()
			return ctx.Err()
		}
	}
}

// serve keeps both sessions until ctx ends or the instance is inactive.
func (i *instance) serve(ctx context.Context) error {
	c, telemetry, err := i.discover(ctx)
	if err != nil {
		return err
	}
	second := c
	second.Endpoint = telemetry
	c.Dialed = func(err error) error { return i.right("ecs:Poll", err) }
	second.Dialed = func(err error) error { return i.right("ecs:StartTelemetrySession", err) }
	if len(i.agent.Endpoints) > 1 {
		c.Locate = func(ctx context.Context, failed string) (string, error) {
			session, _, err := i.relocate(ctx, failed)
			return session, err
		}
		second.Locate = func(ctx context.Context, failed string) (string, error) {
			_, telemetry, err := i.relocate(ctx, failed)
			return telemetry, err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return i.agent.RunAgent(ctx, c, &orders{i}) })
	g.Go(func() error { return i.agent.RunTelemetry(ctx, second, &telemetrySource{i}, i.health) })
	g.Go(func() error { return i.keepSessions(ctx) })
	return g.Wait()
}

// orphan stops the instance's tasks without reports, waits until they have, and forgets who the instance was.
func (i *instance) orphan(ctx context.Context) error {
	for {
		left := 0
		for _, t := range i.tasks() {
			t.stop(true)
			t.view(func(r *Record) {
				if !r.Stopped() {
					left++
				}
			})
		}
		if left == 0 {
			return i.keep(ctx, func(id *identity) { *id = identity{} })
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(orphanLook):
		}
	}
}

// orphanLook is how often orphans are counted. Nothing waits for it but a new registration.
const orphanLook = time.Second

// tasks are the instance's.
func (i *instance) tasks() (list []*task) {
	for _, t := range i.agent.all() {
		if t.in == i {
			list = append(list, t)
		}
	}
	return list
}

// remember takes in what the ledger has kept of the instance.
func (i *instance) remember(value []byte) error {
	if err := json.Unmarshal(value, &i.identity); err != nil {
		return fmt.Errorf("decode kept instance %s: %w", i.Name, err)
	}
	if i.identity.ARN != "" && i.identity.Cluster != i.Cluster {
		return fmt.Errorf("instance %s is registered in cluster %s: it cannot move to %s", i.Name, i.identity.Cluster, i.Cluster)
	}
	return nil
}

// keep changes what is kept of the instance.
func (i *instance) keep(ctx context.Context, f func(*identity)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	next := i.identity
	f(&next)
	value, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("encode instance %s: %w", i.Name, err)
	}
	if err := i.agent.Ledger.Write(ctx, map[string][]byte{instancePrefix + i.Name: value}); err != nil {
		return fmt.Errorf("write down instance %s: %w", i.Name, err)
	}
	i.identity = next
	return nil
}

// knownARN is the instance's ARN, "" before it has registered.
func (i *instance) knownARN() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.identity.ARN
}

// learn takes the ARN from a container's label, where the ledger has been lost.
func (i *instance) learn(arn string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.identity.ARN == "" {
		i.identity.ARN = arn
	}
}

// tellHealth has the telemetry session tell health at once. It never waits.
func (i *instance) tellHealth() {
	select {
	case i.health <- struct{}{}:
	default:
	}
}
