package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// vpcOperations are the operations on VPCs.
func (a *API) vpcOperations() []frontdoor.Operation {
	return []frontdoor.Operation{operation(a, "DescribeVpcs", a.describeVpcs)}
}

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

type shownVPC struct {
	CidrBlock               string
	CidrBlockAssociationSet []shownCidrAssociation
	DhcpOptionsId           string
	InstanceTenancy         string
	IsDefault               bool
	OwnerId                 string
	State                   string
	TagSet                  []Tag
	VpcId                   string
}

type shownCidrAssociation struct {
	AssociationId, CidrBlock string
	CidrBlockState           struct{ State string }
}

func showVPC(s arn.Scope, v *vpc.VPC) shownVPC {
	out := shownVPC{
		CidrBlock: v.CidrBlock, DhcpOptionsId: v.DHCPOptionsID, InstanceTenancy: v.InstanceTenancy, IsDefault: v.IsDefault, OwnerId: s.Account,
		State: "available", TagSet: shown(v.Tags), VpcId: v.ID(), CidrBlockAssociationSet: []shownCidrAssociation{},
	}
	for _, c := range v.Associations {
		one := shownCidrAssociation{AssociationId: c.AssociationID, CidrBlock: c.CidrBlock}
		one.CidrBlockState.State = "associated"
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, one)
	}
	return out
}

// findVPC finds the VPC that a request names.
func findVPC(t *state.Tables, s arn.Scope, id string) (*vpc.VPC, error) {
	if err := wellFormed("vpc-", "VpcID", id); err != nil {
		return nil, err
	}
	v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, id))
	if v == nil {
		return nil, notFound("VpcID", "vpc ID", id)
	}
	return v, nil
}

func (a *API) describeVpcs(_ context.Context, r *frontdoor.Request, in *describeVpcsInput) (*describeVpcsOutput, error) {
	p, err := newPager(in.MaxResults, in.NextToken, in.VpcIds)
	if err != nil {
		return nil, err
	}
	s, err := newSelection(in.Filters, in.VpcIds, "cidr", "cidr-block-association.association-id", "cidr-block-association.cidr-block",
		"cidr-block-association.state", "dhcp-options-id", "is-default", "isDefault", "owner-id", "state", "vpc-id")
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	for _, id := range in.VpcIds {
		if _, err := findVPC(t, r.Scope, id); err != nil {
			return nil, err
		}
	}
	rows := t.VPCs.Under(vpc.Prefix(r.Scope, vpc.KindVPC), p.after)
	list, next := page(p, where(rows, func(v *vpc.VPC) bool { return s.takes(v.ID(), vpcFacts(r.Scope, v)) }), (*vpc.VPC).Key)
	out := &describeVpcsOutput{Vpcs: []shownVPC{}, NextToken: next}
	for _, v := range list {
		out.Vpcs = append(out.Vpcs, showVPC(r.Scope, v))
	}
	return out, nil
}

func vpcFacts(s arn.Scope, v *vpc.VPC) facts {
	f := facts{
		"cidr": {v.CidrBlock}, "dhcp-options-id": {v.DHCPOptionsID}, "is-default": flag(v.IsDefault), "isDefault": flag(v.IsDefault),
		"owner-id": {s.Account}, "state": {"available"}, "vpc-id": {v.ID()}, "cidr-block-association.state": {"associated"},
	}
	for _, c := range v.Associations {
		f["cidr-block-association.association-id"] = append(f["cidr-block-association.association-id"], c.AssociationID)
		f["cidr-block-association.cidr-block"] = append(f["cidr-block-association.cidr-block"], c.CidrBlock)
	}
	return f.tagged(v.Tags)
}

// unsupported refuses a member that EC2 acts on and Berth does not.
func unsupported(member string) error {
	return apierr.New("UnsupportedOperation", "Berth does not act on %s; leave it out. docs/coverage.md lists what it acts on.", member)
}
