package ec2

import (
	"context"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type deleteVpcInput struct {
	DryRun *bool
	VpcId  *string
}

// deleteVpc deletes a VPC of which nothing is left but what came with it: its main route table and its default security group.
func (a *API) deleteVpc(ctx context.Context, r *frontdoor.Request, in *deleteVpcInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		v, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		own, used := leftOf(tx.Tables, r.Scope, v)
		if used {
			return inUse("The vpc '%s' has dependencies and cannot be deleted.", v.ID())
		}
		if own.table != nil {
			tx.Delete(own.table)
		}
		if own.group != nil {
			tx.Delete(own.group)
		}
		tx.Delete(v)
		return nil
	})
}

// ofVPC is what a VPC has from the start.
type ofVPC struct {
	table *vpc.RouteTable
	group *vpc.SecurityGroup
}

// leftOf finds what a VPC has from the start, and whether there is anything else in it.
func leftOf(t *state.Tables, s arn.Scope, v *vpc.VPC) (own ofVPC, used bool) {
	for range subnetsOf(t, s, v.ID()) {
		return own, true
	}
	for range t.Interfaces.InVPC(v.ID()) {
		return own, true
	}
	if attachedGateway(t, s, v.ID()) != nil {
		return own, true
	}
	for table := range routeTablesOf(t, s, v.ID()) {
		if !table.Main() {
			return own, true
		}
		own.table = table
	}
	for g := range t.SecurityGroups.Under(vpc.Prefix(s, vpc.KindSecurityGroup), "") {
		switch {
		case g.VpcID != v.ID():
		case g.GroupName != defaultGroup:
			return own, true
		default:
			own.group = g
		}
	}
	return own, false
}
