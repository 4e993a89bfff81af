package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeVpcsInput struct {
	DryRun     *bool
	Filters    []Filter `json:"Filter"`
	VpcIds     []string `json:"VpcId"`
	MaxResults *int32
	NextToken  *string
}

type describeVpcsOutput struct {
	Vpcs      []shownVPC `json:"vpcSet"`
	NextToken *string
}

func (a *API) describeVpcs(_ context.Context, r *frontdoor.Request, in *describeVpcsInput) (*describeVpcsOutput, error) {
	list, next, err := described[*vpc.VPC, shownVPC]{
		filters: `cidr cidr-block-association.association-id cidr-block-association.cidr-block cidr-block-association.state dhcp-options-id is-default isDefault
			ipv6-cidr-block-association.association-id ipv6-cidr-block-association.ipv6-cidr-block ipv6-cidr-block-association.ipv6-pool
			ipv6-cidr-block-association.state owner-id state vpc-id`,
		kind: vpc.KindVPC, find: findVPC,
		rows:  func(t *state.Tables, prefix, start string) iter.Seq[*vpc.VPC] { return t.VPCs.Under(prefix, start) },
		facts: func(_ *state.Tables, s arn.Scope, v *vpc.VPC) facts { return vpcFacts(s, v) },
		show:  func(_ *state.Tables, s arn.Scope, v *vpc.VPC) shownVPC { return showVPC(s, v) },
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.VpcIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeVpcsOutput{Vpcs: list, NextToken: next}, nil
}

func vpcFacts(s arn.Scope, v *vpc.VPC) facts {
	f := facts{
		"cidr": {v.CidrBlock}, "dhcp-options-id": {v.DHCPOptionsID}, "is-default": flag(v.IsDefault), "isDefault": flag(v.IsDefault),
		"owner-id": {s.Account}, "state": {"available"}, "vpc-id": {v.ID()}, "cidr-block-association.state": {"associated"},
	}
	for _, c := range v.Associations {
		f.add("cidr-block-association.association-id", c.AssociationID)
		f.add("cidr-block-association.cidr-block", c.CidrBlock)
	}
	return f.tagged(v.Tags)
}
