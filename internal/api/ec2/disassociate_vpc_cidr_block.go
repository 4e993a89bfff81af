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

type disassociateVpcCidrBlockInput struct{ AssociationId *string }

func (a *API) disassociateVpcCidrBlock(ctx context.Context, r *frontdoor.Request, in *disassociateVpcCidrBlockInput) (*vpcCidrBlockOutput, error) {
	id := text(in.AssociationId)
	if id == "" {
		return nil, missing("associationId")
	}
	if err := wellFormed("vpc-cidr-assoc-", "VpcCidrBlockAssociationID", id); err != nil {
		return nil, err
	}
	out := &vpcCidrBlockOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		old, n := cidrAssociation(tx.Tables, r.Scope, id)
		switch {
		case old == nil:
			return notFound("VpcCidrBlockAssociationID", "vpc CIDR block association ID", id)
		case n == 0:
			return apierr.New("OperationNotPermitted",
				"The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", id)
		}
		c := old.Associations[n]
		for sub := range subnetsOf(tx.Tables, r.Scope, old.ID()) {
			if netip.MustParsePrefix(c.CidrBlock).Contains(sub.Prefix().Addr()) {
				return apierr.New("InvalidCidrBlock.InUse", "The vpc %s currently has a subnet within CIDR block %s", old.ID(), c.CidrBlock)
			}
		}
		v := *old
		v.Associations = slices.Delete(slices.Clone(old.Associations), n, n+1)
		tx.Put(&v)
		*out = vpcCidrBlockOutput{showCidrAssociation(c, "disassociating"), v.ID()}
		return nil
	})
}

// cidrAssociation finds the VPC with an address range of that id, and which one of its ranges it is.
func cidrAssociation(t *state.Tables, s arn.Scope, id string) (*vpc.VPC, int) {
	for v := range vpcs(t, s) {
		if n := slices.IndexFunc(v.Associations, func(c vpc.CidrAssociation) bool { return c.AssociationID == id }); n >= 0 {
			return v, n
		}
	}
	return nil, 0
}
