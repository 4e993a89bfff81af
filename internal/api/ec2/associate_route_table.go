package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type associateRouteTableInput struct {
	DryRun         *bool
	GatewayId      *string
	PublicIpv4Pool *string
	RouteTableId   *string
	SubnetId       *string
}

type associateRouteTableOutput struct {
	AssociationId    string
	AssociationState blockState
}

func (a *API) associateRouteTable(ctx context.Context, r *frontdoor.Request, in *associateRouteTableInput) (*associateRouteTableOutput, error) {
	if err := noneOf(given{"GatewayId", in.GatewayId != nil}, given{"PublicIpv4Pool", in.PublicIpv4Pool != nil}); err != nil {
		return nil, err
	}
	out := &associateRouteTableOutput{AssociationState: blockState{"associated"}}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		table, err := namedRouteTable(tx.Tables, r.Scope, in.RouteTableId)
		if err != nil {
			return err
		}
		sub, err := namedSubnet(tx.Tables, r.Scope, in.SubnetId)
		if err != nil {
			return err
		}
		if table.VpcID != sub.VpcID {
			return invalid("route table %s and subnet %s belong to different networks", table.ID(), sub.ID())
		}
		switch other, n := associationOf(tx.Tables, r.Scope, func(a vpc.RouteTableAssociation) bool { return a.SubnetID == sub.ID() }); {
		case other == nil:
		case other == table:
			out.AssociationId = table.Associations[n].ID
			return nil
		default:
			return apierr.New("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", table.ID())
		}
		out.AssociationId = newID("rtbassoc-")
		tx.Put(withAssociation(table, vpc.RouteTableAssociation{ID: out.AssociationId, SubnetID: sub.ID()}))
		return nil
	})
}

// withAssociation is a route table with one more association.
func withAssociation(table *vpc.RouteTable, a vpc.RouteTableAssociation) *vpc.RouteTable {
	out := *table
	out.Associations = append(slices.Clone(table.Associations), a)
	return &out
}
