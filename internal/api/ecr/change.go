package ecr

import (
	"context"

	"berth/internal/arn"
	"berth/internal/ecr"
	"berth/internal/state"
)

// change changes a copy of a repository's record, and returns it.
func (a *API) change(ctx context.Context, s arn.Scope, name string, f func(r *ecr.Repository) error) (*ecr.Repository, error) {
	return a.update(ctx, func(t *state.Tables) (*ecr.Repository, error) { return find(t, s, name) }, f)
}

func (a *API) update(ctx context.Context, which func(*state.Tables) (*ecr.Repository, error), f func(r *ecr.Repository) error) (changed *ecr.Repository, err error) {
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		found, err := which(tx.Tables)
		if err != nil {
			return err
		}
		c := *found
		if err := f(&c); err != nil {
			return err
		}
		changed = &c
		tx.Put(changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}
