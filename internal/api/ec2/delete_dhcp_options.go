package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type deleteDhcpOptionsInput struct {
	DhcpOptionsId *string
	DryRun        *bool
}

func (a *API) deleteDhcpOptions(ctx context.Context, r *frontdoor.Request, in *deleteDhcpOptionsInput) (*Done, error) {
	if text(in.DhcpOptionsId) == "" {
		return nil, missing("dhcpOptionsId")
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		d, err := findDHCPOptions(tx.Tables, r.Scope, *in.DhcpOptionsId)
		if err != nil {
			return err
		}
		for v := range vpcs(tx.Tables, r.Scope) {
			if v.DHCPOptionsID == d.ID() {
				return inUse("The dhcpOptions '%s' has dependencies and cannot be deleted.", d.ID())
			}
		}
		tx.Delete(d)
		return nil
	})
}
