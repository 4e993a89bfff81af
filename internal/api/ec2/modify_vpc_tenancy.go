package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

type modifyVpcTenancyInput struct {
	DryRun          *bool
	InstanceTenancy *string
	VpcId           *string
}

// modifyVpcTenancy makes a VPC's tenancy the default one. There is no other change of it.
func (a *API) modifyVpcTenancy(ctx context.Context, r *frontdoor.Request, in *modifyVpcTenancyInput) (*Done, error) {
	switch t := text(in.InstanceTenancy); t {
	case "":
		return nil, missing("instanceTenancy")
	case "default":
	default:
		return nil, apierr.New("UnsupportedTenancy", "The tenancy value %.64s is not supported.", t)
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		v := *old
		v.InstanceTenancy = "default"
		tx.Put(&v)
		return nil
	})
}
