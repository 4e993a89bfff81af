package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type replaceRouteTableAssociationInput struct {
	AssociationId *string
	DryRun        *bool
	RouteTableId  *string
}

type replaceRouteTableAssociationOutput struct {
	AssociationState blockState
	NewAssociationId string
}

// replaceRouteTableAssociation gives a subnet another route table, or a VPC another main one.
func (a *API) replaceRouteTableAssociation(ctx context.Context, r *frontdoor.Request, in *replaceRouteTableAssociationInput) (*replaceRouteTableAssociationOutput, error) {
	out := &replaceRouteTableAssociationOutput{AssociationState: blockState{"associated"}}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		from, n, err := namedAssociation(tx.Tables, r.Scope, in.AssociationId)
		if err != nil {
			return err
		}
		to, err := namedRouteTable(tx.Tables, r.Scope, in.RouteTableId)
		if err != nil {
			return err
		}
		association := from.Associations[n]
		if from.VpcID != to.VpcID {
			return invalid("route table %s and the association %s belong to different networks", to.ID(), association.ID)
		}
		out.NewAssociationId = newID("rtbassoc-")
		association.ID = out.NewAssociationId
		rest := withoutAssociation(from, n)
		if from == to {
			to = rest
		} else {
			tx.Put(rest)
		}
		tx.Put(withAssociation(to, association))
		return nil
	})
}
