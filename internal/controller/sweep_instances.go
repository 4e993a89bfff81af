package controller

import (
	"context"
	"time"

	"berth/internal/access"
	"berth/internal/ecs"
	"berth/internal/state"
)

// How long a container instance that is gone leaves traces: it is described as INACTIVE for an hour, as on AWS. Its access key stays longer,
// because with that its machine comes back: it is told that it is inactive, stops what it runs, and registers anew.
const (
	keepInstance = time.Hour
	keepKey      = 30 * 24 * time.Hour
)

// removal is a record that is due, with what takes its place: nil for nothing.
type removal struct{ old, new ecs.Record }

// sweepInstances removes container instances that are gone, and then the access keys that have none.
func (c *Sweep) sweepInstances(ctx context.Context, now time.Time) error {
	due := append(goneInstances(c.State.View(), now), unboundKeys(c.State.View(), now)...)
	return inSlices(ctx, c.State, due, func(tx *state.Tx, r removal) { tx.ReplaceUnchanged(r.old, r.new) })
}

// goneInstances are the INACTIVE ones without a task left whose time is over. One of a version that did not write down when it was
// deregistered counts from now.
func goneInstances(v *state.Snapshot, now time.Time) (due []removal) {
	for i := range v.Instances.All() {
		switch {
		case i.Status != ecs.Inactive:
		case i.DeregisteredAt == nil:
			n := *i
			n.DeregisteredAt = &now
			due = append(due, removal{i, &n})
		case now.Sub(*i.DeregisteredAt) >= keepInstance && v.Tasks.Usage(i.ContainerInstanceArn).Tasks == 0:
			due = append(due, removal{i, nil})
		}
	}
	return due
}

// unboundKeys are the container instances' access keys that stand for no instance: theirs is gone, or they have never registered one.
func unboundKeys(v *state.Snapshot, now time.Time) (due []removal) {
	for k := range v.Credentials.All() {
		if k.Principal != access.ContainerInstance || k.Instance != "" && v.Instances.Get(k.Instance) != nil {
			continue
		}
		since := k.UnboundSince
		if k.Instance == "" && !k.CreatedAt.IsZero() {
			since = &k.CreatedAt
		}
		switch {
		case since == nil:
			n := *k
			n.UnboundSince = &now
			due = append(due, removal{k, &n})
		case now.Sub(*since) >= keepKey:
			due = append(due, removal{k, nil})
		}
	}
	return due
}
