package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

type createDefaultVpcInput struct{ DryRun *bool }

func (a *API) createDefaultVpc(ctx context.Context, r *frontdoor.Request, _ *createDefaultVpcInput) (*createVpcOutput, error) {
	out := &createVpcOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		if defaultVPC(tx.Tables, r.Scope) != nil {
			return apierr.New("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
		}
		if count(vpcs(tx.Tables, r.Scope)) >= mostVPCs {
			return limit("Vpc", "VPCs")
		}
		out.Vpc = showVPC(r.Scope, a.newDefaultVPC(tx, r.Scope))
		return nil
	})
}
