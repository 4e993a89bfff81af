package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type deleteRouteInput struct {
	DestinationCidrBlock     *string
	DestinationIpv6CidrBlock *string
	DestinationPrefixListId  *string
	DryRun                   *bool
	RouteTableId             *string
}

func (a *API) deleteRoute(ctx context.Context, r *frontdoor.Request, in *deleteRouteInput) (*Done, error) {
	err := noneOf(given{"DestinationIpv6CidrBlock", in.DestinationIpv6CidrBlock != nil}, given{"DestinationPrefixListId", in.DestinationPrefixListId != nil})
	if err != nil {
		return nil, err
	}
	b, err := destination(in.DestinationCidrBlock)
	if err != nil {
		return nil, err
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedRouteTable(tx.Tables, r.Scope, in.RouteTableId)
		if err != nil {
			return err
		}
		n := slices.IndexFunc(old.Routes, to(b.String()))
		switch v := tx.VPCs.Get(vpc.ARN(r.Scope, vpc.KindVPC, old.VpcID)); {
		case n >= 0:
		case v != nil && slices.Contains(v.CIDRs(), b):
			return invalid("cannot remove local route %s in route table %s", b, old.ID())
		default:
			return apierr.New("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", b, old.ID())
		}
		table := *old
		table.Routes = slices.Delete(slices.Clone(old.Routes), n, n+1)
		tx.Put(&table)
		return nil
	})
}
