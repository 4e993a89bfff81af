package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

type releaseAddressInput struct {
	AllocationId       *string
	DryRun             *bool
	NetworkBorderGroup *string
	PublicIp           *string
}

func (a *API) releaseAddress(ctx context.Context, r *frontdoor.Request, in *releaseAddressInput) (*Done, error) {
	id, ip, group := text(in.AllocationId), text(in.PublicIp), text(in.NetworkBorderGroup)
	switch {
	case id == "" && ip == "":
		return nil, apierr.New("MissingParameter", "Either public IP or allocation id must be specified")
	case id != "" && ip != "":
		return nil, combination("You may specify public IP or allocation id, but not both in the same call")
	case id == "":
		return nil, invalid("You must specify an allocation id when releasing a VPC elastic IP address")
	case group != "" && group != r.Scope.Region:
		return nil, invalid("Invalid value '%.64s' for NetworkBorderGroup: the address is of %s.", group, r.Scope.Region)
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		e, err := findAddress(tx.Tables, r.Scope, id)
		switch {
		case err != nil:
			return err
		case ofService(tx.Tables, r.Scope, e):
			return managed()
		case e.AssociationID != "":
			return apierr.New("InvalidIPAddress.InUse", "Address %s is in use.", e.PublicIP)
		}
		tx.Delete(e)
		return nil
	})
}
