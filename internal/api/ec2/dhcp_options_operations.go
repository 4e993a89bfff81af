package ec2

import (
	"iter"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// dhcpOptionsOperations are the operations on sets of DHCP options.
func (a *API) dhcpOptionsOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AssociateDhcpOptions", a.associateDhcpOptions),
		operation(a, "CreateDhcpOptions", a.createDhcpOptions),
		operation(a, "DeleteDhcpOptions", a.deleteDhcpOptions),
		operation(a, "DescribeDhcpOptions", a.describeDhcpOptions),
	}
}

type shownDHCPOptions struct {
	DhcpConfigurationSet []shownDHCPConfiguration
	DhcpOptionsId        string
	OwnerId              string
	TagSet               []Tag
}

type shownDHCPConfiguration struct {
	Key      string
	ValueSet []shownDHCPValue
}

type shownDHCPValue struct{ Value string }

func showDHCPOptions(_ *state.Tables, s arn.Scope, d *vpc.DHCPOptions) shownDHCPOptions {
	out := shownDHCPOptions{DhcpConfigurationSet: []shownDHCPConfiguration{}, DhcpOptionsId: d.ID(), OwnerId: s.Account, TagSet: shown(d.Tags)}
	for _, c := range d.Configurations {
		one := shownDHCPConfiguration{Key: c.Key}
		for _, v := range c.Values {
			one.ValueSet = append(one.ValueSet, shownDHCPValue{v})
		}
		out.DhcpConfigurationSet = append(out.DhcpConfigurationSet, one)
	}
	return out
}

func allDHCPOptions(t *state.Tables, s arn.Scope) iter.Seq[*vpc.DHCPOptions] {
	return t.DHCPOptions.Under(vpc.Prefix(s, vpc.KindDHCPOptions), "")
}

// findDHCPOptions finds the set of DHCP options that a request names.
func findDHCPOptions(t *state.Tables, s arn.Scope, id string) (*vpc.DHCPOptions, error) {
	if err := wellFormed("dopt-", "DhcpOptionsId", id); err != nil {
		return nil, err
	}
	d := t.DHCPOptions.Get(vpc.ARN(s, vpc.KindDHCPOptions, id))
	if d == nil {
		return nil, apierr.New("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '%s' does not exist", id)
	}
	return d, nil
}
