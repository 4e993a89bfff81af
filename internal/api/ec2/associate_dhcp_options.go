package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type associateDhcpOptionsInput struct {
	DhcpOptionsId *string
	DryRun        *bool
	VpcId         *string
}

// noDHCPOptions stands for no DHCP options at all.
const noDHCPOptions = "default"

func (a *API) associateDhcpOptions(ctx context.Context, r *frontdoor.Request, in *associateDhcpOptionsInput) (*Done, error) {
	id := text(in.DhcpOptionsId)
	if id == "" {
		return nil, missing("dhcpOptionsId")
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		if id != noDHCPOptions {
			if _, err := findDHCPOptions(tx.Tables, r.Scope, id); err != nil {
				return err
			}
		}
		v := *old
		v.DHCPOptionsID = id
		tx.Put(&v)
		return nil
	})
}
