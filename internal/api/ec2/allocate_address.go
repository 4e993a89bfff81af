package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type allocateAddressInput struct {
	Address               *string
	CustomerOwnedIpv4Pool *string
	Domain                *string
	DryRun                *bool
	IpamPoolId            *string
	NetworkBorderGroup    *string
	PublicIpv4Pool        *string
	TagSpecifications     []TagSpecification `json:"TagSpecification"`
}

type allocateAddressOutput struct{ AllocationId, Domain, NetworkBorderGroup, PublicIp, PublicIpv4Pool string }

func (in *allocateAddressInput) unsupported(region string) error {
	return noneOf(given{"Address", in.Address != nil}, given{"CustomerOwnedIpv4Pool", in.CustomerOwnedIpv4Pool != nil}, given{"IpamPoolId", in.IpamPoolId != nil},
		given{"NetworkBorderGroup", text(in.NetworkBorderGroup) != "" && *in.NetworkBorderGroup != region},
		given{"PublicIpv4Pool", text(in.PublicIpv4Pool) != "" && *in.PublicIpv4Pool != "amazon"})
}

func (a *API) allocateAddress(ctx context.Context, r *frontdoor.Request, in *allocateAddressInput) (*allocateAddressOutput, error) {
	if err := in.unsupported(r.Scope.Region); err != nil {
		return nil, err
	}
	if d := text(in.Domain); d != "" && d != "vpc" {
		return nil, invalid("Invalid value '%.64s' for domain. Expecting vpc.", d)
	}
	tags, err := tagsFor("elastic-ip", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	out := &allocateAddressOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		if count(addresses(tx.Tables, r.Scope)) >= mostAddresses {
			return limit("Address", "addresses")
		}
		ip, ok := tx.PublicAddress(randomNumber())
		if !ok {
			return apierr.New("InsufficientAddressCapacity", "There are not enough free addresses to satisfy the request.")
		}
		e := &vpc.Address{Arn: vpc.ARN(r.Scope, vpc.KindAddress, newID("eipalloc-")), PublicIP: ip.String(), Tags: tags}
		tx.Put(e)
		*out = allocateAddressOutput{e.ID(), "vpc", r.Scope.Region, e.PublicIP, "amazon"}
		return nil
	})
}
