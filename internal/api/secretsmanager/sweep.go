package secretsmanager

import (
	"context"
	"fmt"
	"slices"
	"time"

	"berth/internal/ecs"
	"berth/internal/secret"
	"berth/internal/state"
)

// mostSwept is how many records one Update removes.
const mostSwept = 90

// Sweep removes the secrets whose time has come, and versions without a secret. It is for the leader to call, now and then: what it leaves, because it was
// ended, the next call sees as it is.
func (a *API) Sweep(ctx context.Context) error {
	for some := range slices.Chunk(overdue(a.store.View().Tables, now()), mostSwept) {
		err := a.store.Update(ctx, func(tx *state.Tx) error {
			for _, r := range some {
				remove(tx, r)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("sweep secrets: %w", err)
		}
	}
	return nil
}

// remove removes what is as it was seen, but no version of a secret that was restored meanwhile.
func remove(tx *state.Tx, r ecs.Record) {
	if v, is := r.(*secret.SecretVersion); is && tx.Secrets.Get(v.Secret) != nil {
		return
	}
	tx.DeleteUnchanged(r)
}

// overdue are the secrets to remove, and after them the versions whose secret is not there.
func overdue(t *state.Tables, at time.Time) (due []ecs.Record) {
	for s := range t.Secrets.All() {
		if !s.DeletionDate.IsZero() && !at.Before(s.DeletionDate) {
			due = append(due, s)
		}
	}
	for v := range t.SecretVersions.All() {
		if s := t.Secrets.Get(v.Secret); s == nil || !s.DeletionDate.IsZero() && !at.Before(s.DeletionDate) {
			due = append(due, v)
		}
	}
	return due
}
