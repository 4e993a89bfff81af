package ec2

import (
	"context"
	"net/netip"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createVpcInput struct {
	AmazonProvidedIpv6CidrBlock     *bool
	CidrBlock                       *string
	DryRun                          *bool
	InstanceTenancy                 *string
	Ipv4IpamPoolId                  *string
	Ipv4NetmaskLength               *int32
	Ipv6CidrBlock                   *string
	Ipv6CidrBlockNetworkBorderGroup *string
	Ipv6IpamPoolId                  *string
	Ipv6NetmaskLength               *int32
	Ipv6Pool                        *string
	TagSpecifications               []TagSpecification `json:"TagSpecification"`
	VpcEncryptionControl            *struct{ Mode *string }
}

type createVpcOutput struct{ Vpc shownVPC }

func (in *createVpcInput) unsupported() error {
	return noneOf(given{"AmazonProvidedIpv6CidrBlock", yes(in.AmazonProvidedIpv6CidrBlock)}, given{"Ipv4IpamPoolId", in.Ipv4IpamPoolId != nil},
		given{"Ipv4NetmaskLength", in.Ipv4NetmaskLength != nil}, given{"Ipv6CidrBlock", in.Ipv6CidrBlock != nil},
		given{"Ipv6CidrBlockNetworkBorderGroup", in.Ipv6CidrBlockNetworkBorderGroup != nil}, given{"Ipv6IpamPoolId", in.Ipv6IpamPoolId != nil},
		given{"Ipv6NetmaskLength", in.Ipv6NetmaskLength != nil}, given{"Ipv6Pool", in.Ipv6Pool != nil},
		given{"VpcEncryptionControl", in.VpcEncryptionControl != nil})
}

func (a *API) createVpc(ctx context.Context, r *frontdoor.Request, in *createVpcInput) (*createVpcOutput, error) {
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
	tenancy, err := tenancy(in.InstanceTenancy)
	if err != nil {
		return nil, err
	}
	tags, err := tagsFor("vpc", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	out := &createVpcOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		if count(vpcs(tx.Tables, r.Scope)) >= mostVPCs {
			return limit("Vpc", "VPCs")
		}
		v := newVPC(tx, r.Scope, b.String())
		v.InstanceTenancy, v.Tags = tenancy, tags
		a.putVPC(tx, r.Scope, v)
		out.Vpc = showVPC(r.Scope, v)
		return nil
	})
}

// vpcBlock reads an address range that a VPC may have.
func vpcBlock(text string) (netip.Prefix, error) {
	b, ok := vpc.Block(text)
	switch {
	case !ok:
		return b, invalid("Value (%.64s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	case !vpc.Sized(b) || !vpc.Usable(b):
		return b, apierr.New("InvalidVpc.Range", "The CIDR '%s' is invalid.", b)
	}
	return b, nil
}

// tenancy checks a VPC's instance tenancy, which is default where it is not given.
func tenancy(asked *string) (string, error) {
	switch t := text(asked); t {
	case "":
		return "default", nil
	case "default", "dedicated":
		return t, nil
	default:
		return "", apierr.New("UnsupportedTenancy", "The tenancy value %.64s is not supported.", t)
	}
}
