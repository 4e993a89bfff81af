package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

type attachInternetGatewayInput struct {
	DryRun            *bool
	InternetGatewayId *string
	VpcId             *string
}

func (a *API) attachInternetGateway(ctx context.Context, r *frontdoor.Request, in *attachInternetGatewayInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedInternetGateway(tx.Tables, r.Scope, in.InternetGatewayId)
		if err != nil {
			return err
		}
		v, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		if old.VpcID != "" {
			return apierr.New("Resource.AlreadyAssociated", "resource %s is already attached to network %s", old.ID(), old.VpcID)
		}
		if attachedGateway(tx.Tables, r.Scope, v.ID()) != nil {
			return invalid("Network %s already has an internet gateway attached", v.ID())
		}
		g := *old
		g.VpcID = v.ID()
		tx.Put(&g)
		return nil
	})
}
