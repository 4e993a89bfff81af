package ec2

import (
	"context"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type deleteSubnetInput struct {
	DryRun   *bool
	SubnetId *string
}

// deleteSubnet deletes a subnet without interfaces, and its association with a route table.
func (a *API) deleteSubnet(ctx context.Context, r *frontdoor.Request, in *deleteSubnetInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		sub, err := namedSubnet(tx.Tables, r.Scope, in.SubnetId)
		if err != nil {
			return err
		}
		if tx.Interfaces.InSubnet(sub.ID()) > 0 {
			return inUse("The subnet '%s' has dependencies and cannot be deleted.", sub.ID())
		}
		if table, n := associationOf(tx.Tables, r.Scope, func(a vpc.RouteTableAssociation) bool { return a.SubnetID == sub.ID() }); table != nil {
			tx.Put(withoutAssociation(table, n))
		}
		tx.Delete(sub)
		return nil
	})
}

// withoutAssociation is a route table without its n-th association.
func withoutAssociation(table *vpc.RouteTable, n int) *vpc.RouteTable {
	out := *table
	out.Associations = slices.Delete(slices.Clone(table.Associations), n, n+1)
	return &out
}
