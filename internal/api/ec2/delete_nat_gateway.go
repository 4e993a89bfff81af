package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type deleteNatGatewayInput struct {
	DryRun       *bool
	NatGatewayId *string
}

type deleteNatGatewayOutput struct{ NatGatewayId string }

// deleteNatGateway deletes a NAT gateway and its interface. Its Elastic IP address is free then; routes to it stay, and lead nowhere.
func (a *API) deleteNatGateway(ctx context.Context, r *frontdoor.Request, in *deleteNatGatewayInput) (*deleteNatGatewayOutput, error) {
	if text(in.NatGatewayId) == "" {
		return nil, missing("natGatewayId")
	}
	out := &deleteNatGatewayOutput{*in.NatGatewayId}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findNATGateway(tx.Tables, r.Scope, *in.NatGatewayId)
		if err != nil || old.State == natDeleted {
			return err
		}
		if e := tx.Addresses.Get(vpc.ARN(r.Scope, vpc.KindAddress, old.AllocationID)); e != nil && e.InterfaceID == old.InterfaceID {
			tx.Put(disassociated(e))
		}
		if eni := tx.Interfaces.Own(vpc.ARN(r.Scope, vpc.KindNetworkInterface, old.InterfaceID)); eni != nil {
			tx.Delete(eni)
		}
		n, at := *old, now()
		n.State, n.DeletedAt = natDeleted, &at
		tx.Put(&n)
		for old := range tx.NATGateways.Under(vpc.Prefix(r.Scope, vpc.KindNATGateway), "") {
			if forgotten(old) {
				tx.Delete(old)
				break // one for one: they do not grow
			}
		}
		return nil
	})
}
