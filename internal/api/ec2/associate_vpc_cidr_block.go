package ec2

import (
	"context"
	"net/netip"
	"slices"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type associateVpcCidrBlockInput struct {
	AmazonProvidedIpv6CidrBlock     *bool
	CidrBlock                       *string
	Ipv4IpamPoolId                  *string
	Ipv4NetmaskLength               *int32
	Ipv6CidrBlock                   *string
	Ipv6CidrBlockNetworkBorderGroup *string
	Ipv6IpamPoolId                  *string
	Ipv6NetmaskLength               *int32
	Ipv6Pool                        *string
	VpcId                           *string
}

type vpcCidrBlockOutput struct {
	CidrBlockAssociation shownCidrAssociation
	VpcId                string
}

func (in *associateVpcCidrBlockInput) unsupported() error {
	return noneOf(given{"AmazonProvidedIpv6CidrBlock", yes(in.AmazonProvidedIpv6CidrBlock)}, given{"Ipv4IpamPoolId", in.Ipv4IpamPoolId != nil},
		given{"Ipv4NetmaskLength", in.Ipv4NetmaskLength != nil}, given{"Ipv6CidrBlock", in.Ipv6CidrBlock != nil},
		given{"Ipv6CidrBlockNetworkBorderGroup", in.Ipv6CidrBlockNetworkBorderGroup != nil}, given{"Ipv6IpamPoolId", in.Ipv6IpamPoolId != nil},
		given{"Ipv6NetmaskLength", in.Ipv6NetmaskLength != nil}, given{"Ipv6Pool", in.Ipv6Pool != nil})
}

func (a *API) associateVpcCidrBlock(ctx context.Context, r *frontdoor.Request, in *associateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	if text(in.CidrBlock) == "" {
		return nil, missing("cidrBlock")
	}
	b, err := vpcBlock(*in.CidrBlock)
	if err != nil {
		return nil, err
	}
	out := &vpcCidrBlockOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		if err := mayHave(tx.Tables, r.Scope, old, b); err != nil {
			return err
		}
		v, c := *old, vpc.CidrAssociation{AssociationID: newID("vpc-cidr-assoc-"), CidrBlock: b.String()}
		v.Associations = append(slices.Clone(old.Associations), c)
		tx.Put(&v)
		*out = vpcCidrBlockOutput{showCidrAssociation(c, "associating"), v.ID()}
		return nil
	})
}

// mayHave checks that a VPC may have one more range.
func mayHave(t *state.Tables, s arn.Scope, v *vpc.VPC, b netip.Prefix) error {
	if len(v.Associations) >= mostCidrBlocks {
		return apierr.New("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: %d", v.ID(), mostCidrBlocks)
	}
	if vpc.Restricted(v.CIDRs()[0], b) {
		return apierr.New("InvalidVpc.Range", "The CIDR '%s' is restricted. Use a CIDR from the same private address range as the current VPC CIDR, "+
			"or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html", b)
	}
	if v.Overlaps(b) {
		return apierr.New("InvalidVpc.Range", "The CIDR '%s' conflicts with another CIDR block of %s.", b, v.ID())
	}
	for table := range routeTablesOf(t, s, v.ID()) {
		for _, r := range table.Routes {
			if d, ok := vpc.Block(r.Destination); ok && b.Bits() <= d.Bits() && b.Contains(d.Addr()) {
				return apierr.New("InvalidVpc.Range", "The CIDR '%s' is the same as or larger than the destination %s of a route in %s.", b, d, table.ID())
			}
		}
	}
	return nil
}
