package ec2

import (
	"context"
	"slices"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeAddressesInput struct {
	AllocationIds []string `json:"AllocationId"`
	DryRun        *bool
	Filters       []Filter `json:"Filter"`
	PublicIps     []string `json:"PublicIp"`
}

type describeAddressesOutput struct {
	Addresses []shownAddress `json:"addressesSet"`
}

func (a *API) describeAddresses(_ context.Context, r *frontdoor.Request, in *describeAddressesInput) (*describeAddressesOutput, error) {
	wanted, err := newSelection(in.Filters, in.AllocationIds, "allocation-id", "association-id", "domain", "instance-id", "network-border-group",
		"network-interface-id", "network-interface-owner-id", "private-ip-address", "public-ip")
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	if err := in.allThere(t, r.Scope); err != nil {
		return nil, err
	}
	out := &describeAddressesOutput{Addresses: []shownAddress{}}
	for e := range addresses(t, r.Scope) {
		if len(in.PublicIps) > 0 && !slices.Contains(in.PublicIps, e.PublicIP) {
			continue
		}
		if shape := showAddress(r.Scope, e); wanted.takes(e.ID(), addressFacts(shape, e)) {
			out.Addresses = append(out.Addresses, shape)
		}
	}
	return out, nil
}

func (in *describeAddressesInput) allThere(t *state.Tables, s arn.Scope) error {
	for _, id := range in.AllocationIds {
		if _, err := findAddress(t, s, id); err != nil {
			return err
		}
	}
	for _, ip := range in.PublicIps {
		if _, err := findPublic(t, s, ip); err != nil {
			return err
		}
	}
	return nil
}

func addressFacts(a shownAddress, e *vpc.Address) facts {
	f := facts{"allocation-id": {a.AllocationId}, "domain": {a.Domain}, "network-border-group": {a.NetworkBorderGroup}, "public-ip": {a.PublicIp}}
	f.add("association-id", a.AssociationId)
	f.add("network-interface-id", a.NetworkInterfaceId)
	f.add("network-interface-owner-id", a.NetworkInterfaceOwnerId)
	f.add("private-ip-address", a.PrivateIpAddress)
	return f.tagged(e.Tags)
}
