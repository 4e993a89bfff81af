package ec2

import (
	"iter"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// vpcOperations are the operations on VPCs.
func (a *API) vpcOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AssociateVpcCidrBlock", a.associateVpcCidrBlock),
		operation(a, "CreateDefaultVpc", a.createDefaultVpc),
		operation(a, "CreateVpc", a.createVpc),
		operation(a, "DeleteVpc", a.deleteVpc),
		operation(a, "DescribeVpcAttribute", a.describeVpcAttribute),
		operation(a, "DescribeVpcs", a.describeVpcs),
		operation(a, "DisassociateVpcCidrBlock", a.disassociateVpcCidrBlock),
		operation(a, "ModifyVpcAttribute", a.modifyVpcAttribute),
		operation(a, "ModifyVpcTenancy", a.modifyVpcTenancy),
	}
}

// A new account's quotas, or more where AWS gives more to whoever asks.
const (
	mostVPCs             = 100 // a region
	mostCidrBlocks       = 5   // a VPC
	mostSubnets          = 200 // a VPC
	mostRouteTables      = 200 // a VPC
	mostRoutes           = 500 // a route table
	mostInternetGateways = 100 // a region
	mostNATGateways      = 100 // a zone
	mostAddresses        = 100 // a region
	mostDHCPOptions      = 100 // a region
)

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
	CidrBlockState           blockState
}

type blockState struct{ State string }

func showVPC(s arn.Scope, v *vpc.VPC) shownVPC {
	out := shownVPC{
		CidrBlock: v.CidrBlock, DhcpOptionsId: v.DHCPOptionsID, InstanceTenancy: v.InstanceTenancy, IsDefault: v.IsDefault, OwnerId: s.Account,
		State: "available", TagSet: shown(v.Tags), VpcId: v.ID(), CidrBlockAssociationSet: []shownCidrAssociation{},
	}
	for _, c := range v.Associations {
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, showCidrAssociation(c, "associated"))
	}
	return out
}

func showCidrAssociation(c vpc.CidrAssociation, is string) shownCidrAssociation {
	return shownCidrAssociation{AssociationId: c.AssociationID, CidrBlock: c.CidrBlock, CidrBlockState: blockState{is}}
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

// namedVPC finds the VPC in a parameter that a request must have.
func namedVPC(t *state.Tables, s arn.Scope, id *string) (*vpc.VPC, error) {
	if text(id) == "" {
		return nil, missing("vpcId")
	}
	return findVPC(t, s, *id)
}

// defaultVPC is the account's default VPC in a region, nil where it has been deleted.
func defaultVPC(t *state.Tables, s arn.Scope) *vpc.VPC {
	for v := range vpcs(t, s) {
		if v.IsDefault {
			return v
		}
	}
	return nil
}

func vpcs(t *state.Tables, s arn.Scope) iter.Seq[*vpc.VPC] {
	return t.VPCs.Under(vpc.Prefix(s, vpc.KindVPC), "")
}

// count is how many rows there are.
func count[T any](rows iter.Seq[T]) (n int) {
	for range rows {
		n++
	}
	return n
}

// limit is EC2's error where an account would have too many of something: "Vpc", "VPCs".
func limit(kind, plural string) error {
	return apierr.New(kind+"LimitExceeded", "The maximum number of %s has been reached.", plural)
}

// unsupported refuses a member that EC2 acts on and Berth does not.
func unsupported(member string) error {
	return apierr.New("UnsupportedOperation", "Berth does not act on %s; leave it out. docs/coverage.md lists what it acts on.", member)
}

// given are members of a request by their names, with whether the request has them.
type given struct {
	member string
	is     bool
}

// noneOf refuses the first member that a request has and that Berth does not act on.
func noneOf(members ...given) error {
	for _, m := range members {
		if m.is {
			return unsupported(m.member)
		}
	}
	return nil
}
