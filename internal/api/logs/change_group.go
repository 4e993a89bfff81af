package logs

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/logs"
	"berth/internal/state"
)

// changeGroup changes the group that find finds, in a copy of its own.
func (a *API) changeGroup(ctx context.Context, find func(*state.Tables) (*logs.Group, error), change func(g *logs.Group) error) error {
	return a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := find(tx.Tables)
		if err != nil {
			return err
		}
		changed := *g
		if err := change(&changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
}

// byName finds the group with a name, for changeGroup.
func byName(r *frontdoor.Request, name string) func(*state.Tables) (*logs.Group, error) {
	return func(t *state.Tables) (*logs.Group, error) { return group(t, r.Scope, name) }
}
