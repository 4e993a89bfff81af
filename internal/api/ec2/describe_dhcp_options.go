package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeDhcpOptionsInput struct {
	DhcpOptionsIds []string `json:"DhcpOptionsId"`
	DryRun         *bool
	Filters        []Filter `json:"Filter"`
	MaxResults     *int32
	NextToken      *string
}

type describeDhcpOptionsOutput struct {
	DhcpOptions []shownDHCPOptions `json:"dhcpOptionsSet"`
	NextToken   *string
}

func (a *API) describeDhcpOptions(_ context.Context, r *frontdoor.Request, in *describeDhcpOptionsInput) (*describeDhcpOptionsOutput, error) {
	list, next, err := described[*vpc.DHCPOptions, shownDHCPOptions]{
		filters: "dhcp-options-id key owner-id value",
		kind:    vpc.KindDHCPOptions, find: findDHCPOptions, facts: dhcpOptionsFacts, show: showDHCPOptions,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.DHCPOptions] {
			return t.DHCPOptions.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.DhcpOptionsIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeDhcpOptionsOutput{DhcpOptions: list, NextToken: next}, nil
}

func dhcpOptionsFacts(_ *state.Tables, s arn.Scope, d *vpc.DHCPOptions) facts {
	f := facts{"dhcp-options-id": {d.ID()}, "owner-id": {s.Account}}
	for _, c := range d.Configurations {
		f.add("key", c.Key)
		for _, v := range c.Values {
			f.add("value", v)
		}
	}
	return f.tagged(d.Tags)
}
