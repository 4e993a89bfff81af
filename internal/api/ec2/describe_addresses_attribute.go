package ec2

import (
	"context"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/vpc"
)

type describeAddressesAttributeInput struct {
	AllocationIds []string `json:"AllocationId"`
	Attribute     *string
	DryRun        *bool
	MaxResults    *int32
	NextToken     *string
}

type describeAddressesAttributeOutput struct {
	Addresses []shownAddressAttribute `json:"addressSet"`
	NextToken *string
}

type shownAddressAttribute struct{ AllocationId, PublicIp string }

// describeAddressesAttribute shows Elastic IP addresses with their domain names, of which there are none.
func (a *API) describeAddressesAttribute(_ context.Context, r *frontdoor.Request, in *describeAddressesAttributeInput) (*describeAddressesAttributeOutput, error) {
	p, err := newPagerOf("addresses", 1, in.MaxResults, in.NextToken, nil)
	if err != nil {
		return nil, err
	}
	if attribute := text(in.Attribute); attribute != "" && attribute != "domain-name" {
		return nil, invalid("Value (%.64s) for parameter attribute is invalid. Unknown attribute.", attribute)
	}
	t := a.store.View().Tables
	for _, id := range in.AllocationIds {
		if _, err := findAddress(t, r.Scope, id); err != nil {
			return nil, err
		}
	}
	rows := where(t.Addresses.Under(vpc.Prefix(r.Scope, vpc.KindAddress), p.after), func(e *vpc.Address) bool {
		return len(in.AllocationIds) == 0 || slices.Contains(in.AllocationIds, e.ID())
	})
	list, next := page(p, rows, (*vpc.Address).Key)
	out := &describeAddressesAttributeOutput{Addresses: []shownAddressAttribute{}, NextToken: next}
	for _, e := range list {
		out.Addresses = append(out.Addresses, shownAddressAttribute{e.ID(), e.PublicIP})
	}
	return out, nil
}
