package controller

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"berth/internal/ecs"
	"berth/internal/state"
)

// Sweep removes records whose time is over.
type Sweep struct {
	State *state.Store
	// KeepStopped is how long stopped tasks are kept; 0 is KeepStopped.
	KeepStopped time.Duration
	Log         *slog.Logger
}

// KeepStopped is how long ECS shows a task that has stopped.
const KeepStopped = time.Hour

// How long other records are kept after their end, as on AWS.
const (
	keepInactive = 24 * time.Hour // INACTIVE services and clusters
	keepRequests = 24 * time.Hour // requests with a clientToken
	maxStopped   = 200_000        // stopped tasks of the installation; the oldest go first
	maxRequests  = 100_000        // requests with a clientToken; the oldest go first
	keepCounting = time.Hour      // that much longer a service's stopped task that its deployment has not counted
	sweepEvery   = time.Minute
)

// Run sweeps once a minute until ctx ends, which is while this replica leads.
func (c *Sweep) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := errors.Join(c.sweep(ctx, stamp()), c.sweepInstances(ctx, stamp())); err != nil && ctx.Err() == nil {
			c.Log.Warn("sweep failed, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep removes all that is due.
func (c *Sweep) sweep(ctx context.Context, now time.Time) error {
	return inSlices(ctx, c.State, overdue(c.State.View(), now, cmp.Or(c.KeepStopped, KeepStopped)), (*state.Tx).DeleteUnchanged)
}

// inSlices writes what is due, so much in each Update that it stays below a batch.
func inSlices[T any](ctx context.Context, s *state.Store, due []T, write func(*state.Tx, T)) error {
	for some := range slices.Chunk(due, 90) {
		err := s.Update(ctx, func(tx *state.Tx) error {
			for _, r := range some {
				write(tx, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// overdue lists the records to remove.
func overdue(v *state.Snapshot, now time.Time, keepStopped time.Duration) (due []ecs.Record) {
	excess := v.Tasks.StoppedLen() - maxStopped
	for t := range v.Tasks.Stopped() {
		if excess <= 0 && now.Sub(*t.StoppedAt) < keepStopped {
			break
		}
		excess--
		if t.Service == "" || t.Counted || now.Sub(*t.StoppedAt) > keepStopped+keepCounting {
			due = append(due, t)
		}
	}
	due = append(due, oldRequests(v, now)...)
	for t := range v.JoinTokens.All() {
		if now.After(t.ExpiresAt) {
			due = append(due, t)
		}
	}
	due = append(append(due, inactiveServices(v, now)...), inactiveClusters(v, now)...)
	due = append(due, oldDeployments(v, now)...)
	return append(due, deletedDefinitions(v)...)
}

// oldRequests are those that nobody repeats any more, and the oldest of too many.
func oldRequests(v *state.Snapshot, now time.Time) (due []ecs.Record) {
	var young []*ecs.ClientRequest
	for r := range v.Requests.All() {
		if now.Sub(r.CreatedAt) >= keepRequests {
			due = append(due, r)
		} else {
			young = append(young, r)
		}
	}
	if len(young) <= maxRequests {
		return due
	}
	slices.SortFunc(young, func(a, b *ecs.ClientRequest) int { return a.CreatedAt.Compare(b.CreatedAt) })
	for _, r := range young[:len(young)-maxRequests] {
		due = append(due, r)
	}
	return due
}

// inactiveServices are those without a task left, with their events.
func inactiveServices(v *state.Snapshot, now time.Time) (due []ecs.Record) {
	for s := range v.Services.All() {
		if s.Status != ecs.Inactive || s.InactiveAt == nil || now.Sub(*s.InactiveAt) < keepInactive {
			continue
		}
		due = append(due, s)
		for e := range v.Events.Under(string(s.ServiceArn)+"#", "") {
			due = append(due, e)
		}
	}
	return due
}

// deletedDefinitions are those that were deleted and that no task or service refers to any more.
func deletedDefinitions(v *state.Snapshot) (due []ecs.Record) {
	var deleted map[string]*ecs.TaskDefinition
	for d := range v.Definitions.All() {
		if string(d.Definition.Status) == ecs.DeleteInProgress {
			if deleted == nil {
				deleted = map[string]*ecs.TaskDefinition{}
			}
			deleted[d.Key()] = d
		}
	}
	if deleted == nil {
		return nil
	}
	for t := range v.Tasks.All() {
		delete(deleted, string(t.TaskDefinitionArn))
	}
	for s := range v.Services.All() {
		delete(deleted, string(s.TaskDefinition))
		for _, d := range s.Deployments {
			delete(deleted, string(d.TaskDefinition))
		}
	}
	for _, d := range deleted {
		due = append(due, d)
	}
	return due
}
