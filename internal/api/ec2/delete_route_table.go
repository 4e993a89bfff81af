package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type deleteRouteTableInput struct {
	DryRun       *bool
	RouteTableId *string
}

func (a *API) deleteRouteTable(ctx context.Context, r *frontdoor.Request, in *deleteRouteTableInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		table, err := namedRouteTable(tx.Tables, r.Scope, in.RouteTableId)
		if err != nil {
			return err
		}
		if len(table.Associations) > 0 {
			return inUse("The routeTable '%s' has dependencies and cannot be deleted.", table.ID())
		}
		tx.Delete(table)
		return nil
	})
}
