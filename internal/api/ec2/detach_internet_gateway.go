package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type detachInternetGatewayInput struct {
	DryRun            *bool
	InternetGatewayId *string
	VpcId             *string
}

// detachInternetGateway detaches an internet gateway. That it is not attached to the VPC is said also of a VPC that does not exist any more: clients that
// clean up rely on it.
func (a *API) detachInternetGateway(ctx context.Context, r *frontdoor.Request, in *detachInternetGatewayInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedInternetGateway(tx.Tables, r.Scope, in.InternetGatewayId)
		if err != nil {
			return err
		}
		switch id := text(in.VpcId); {
		case id == "":
			return missing("vpcId")
		case old.VpcID != id:
			if err := wellFormed("vpc-", "VpcID", id); err != nil {
				return err
			}
			return apierr.New("Gateway.NotAttached", "resource %s is not attached to network %s", old.ID(), id)
		case hasPublicAddress(tx.Tables, r.Scope, id):
			return inUse("Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", id)
		}
		g := *old
		g.VpcID = ""
		tx.Put(&g)
		return nil
	})
}

// hasPublicAddress reports whether an interface of a VPC has a public address, its own or an Elastic IP address.
func hasPublicAddress(t *state.Tables, s arn.Scope, id vpc.ID) bool {
	elastic := map[vpc.ID]bool{}
	for e := range addresses(t, s) {
		elastic[e.InterfaceID] = true
	}
	for n := range t.Interfaces.InVPC(id) {
		if n.PublicIP != "" || elastic[n.ID()] {
			return true
		}
	}
	return false
}
