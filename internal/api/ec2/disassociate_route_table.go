package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type disassociateRouteTableInput struct {
	AssociationId *string
	DryRun        *bool
}

func (a *API) disassociateRouteTable(ctx context.Context, r *frontdoor.Request, in *disassociateRouteTableInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		table, n, err := namedAssociation(tx.Tables, r.Scope, in.AssociationId)
		if err != nil {
			return err
		}
		if table.Associations[n].Main {
			return invalid("cannot disassociate the main route table association %s", *in.AssociationId)
		}
		tx.Put(withoutAssociation(table, n))
		return nil
	})
}
