package ec2

import (
	"context"
	"fmt"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createDefaultSubnetInput struct {
	AvailabilityZone   *string
	AvailabilityZoneId *string
	DryRun             *bool
	Ipv6Native         *bool
}

func (a *API) createDefaultSubnet(ctx context.Context, r *frontdoor.Request, in *createDefaultSubnetInput) (*createSubnetOutput, error) {
	if yes(in.Ipv6Native) {
		return nil, unsupported("Ipv6Native")
	}
	letter, err := a.zoneLetter(r.Scope, in.AvailabilityZone, in.AvailabilityZoneId)
	switch {
	case err != nil:
		return nil, err
	case letter == "":
		return nil, missing("availabilityZone")
	}
	out := &createSubnetOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		sub, err := a.newDefaultSubnet(tx.Tables, r.Scope, letter)
		if err != nil {
			return err
		}
		tx.Put(sub)
		out.Subnet = showSubnet(tx.Tables, r.Scope, sub)
		return nil
	})
}

// newDefaultSubnet is a subnet of the default VPC in a zone that has none, with the first range that is free.
func (a *API) newDefaultSubnet(t *state.Tables, s arn.Scope, letter string) (*vpc.Subnet, error) {
	v := defaultVPC(t, s)
	if v == nil {
		return nil, apierr.New("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
	}
	for sub := range subnetsOf(t, s, v.ID()) {
		if sub.DefaultForAz && sub.AvailabilityZone == zone(s, letter) {
			return nil, apierr.New("DefaultSubnetAlreadyExistsInAvailabilityZone", "'%s' is already the default subnet in %s", sub.ID(), sub.AvailabilityZone)
		}
	}
	for n := range 16 {
		if b, ok := vpc.Block(fmt.Sprintf(defaultSubnetCIDR, 16*n)); ok && !conflicts(t, s, v, b) {
			sub := a.newSubnet(s, v.ID(), b.String(), letter)
			sub.DefaultForAz, sub.MapPublicIPOnLaunch = true, true
			return sub, nil
		}
	}
	return nil, apierr.New("InvalidSubnet.Conflict", "The default VPC %s has no free range for a default subnet.", v.ID())
}
