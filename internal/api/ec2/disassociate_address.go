package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type disassociateAddressInput struct {
	AssociationId *string
	DryRun        *bool
	PublicIp      *string
}

func (a *API) disassociateAddress(ctx context.Context, r *frontdoor.Request, in *disassociateAddressInput) (*Done, error) {
	id, ip := text(in.AssociationId), text(in.PublicIp)
	switch {
	case id == "" && ip == "":
		return nil, apierr.New("MissingParameter", "Either public IP or association id must be specified")
	case id != "" && ip != "":
		return nil, combination("You may specify public IP or association id, but not both in the same call")
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		e, err := associatedAddress(tx.Tables, r.Scope, id, ip)
		switch {
		case err != nil:
			return err
		case ofService(tx.Tables, r.Scope, e):
			return managed()
		}
		tx.Put(disassociated(e))
		return nil
	})
}

// associatedAddress is the Elastic IP address with an association id, or with a public address.
func associatedAddress(t *state.Tables, s arn.Scope, id, ip string) (*vpc.Address, error) {
	if id == "" {
		return findPublic(t, s, ip)
	}
	for e := range addresses(t, s) {
		if e.AssociationID == id {
			return e, nil
		}
	}
	return nil, apierr.New("InvalidAssociationID.NotFound", "The association ID '%.64s' does not exist", id)
}
