package ec2

import (
	"context"
	"net/netip"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createNatGatewayInput struct {
	AllocationId                   *string
	AvailabilityMode               *string
	AvailabilityZoneAddresses      []struct{ AvailabilityZone *string } `json:"AvailabilityZoneAddress"`
	ClientToken                    *string
	ConnectivityType               *string
	DryRun                         *bool
	PrivateIpAddress               *string
	SecondaryAllocationIds         []string `json:"SecondaryAllocationId"`
	SecondaryPrivateIpAddresses    []string `json:"SecondaryPrivateIpAddress"`
	SecondaryPrivateIpAddressCount *int32
	SubnetId                       *string
	TagSpecifications              []TagSpecification `json:"TagSpecification"`
	VpcId                          *string
}

type createNatGatewayOutput struct {
	ClientToken string
	NatGateway  shownNATGateway
}

func (in *createNatGatewayInput) unsupported() error {
	return noneOf(given{"AvailabilityMode", in.AvailabilityMode != nil && *in.AvailabilityMode != zonal},
		given{"AvailabilityZoneAddress", len(in.AvailabilityZoneAddresses) > 0}, given{"SecondaryAllocationId", len(in.SecondaryAllocationIds) > 0},
		given{"SecondaryPrivateIpAddress", len(in.SecondaryPrivateIpAddresses) > 0},
		given{"SecondaryPrivateIpAddressCount", in.SecondaryPrivateIpAddressCount != nil}, given{"VpcId", in.VpcId != nil})
}

// connectivity checks what a NAT gateway is for, and that it has an Elastic IP address where it is public.
func (in *createNatGatewayInput) connectivity() (string, error) {
	switch kind := text(in.ConnectivityType); {
	case kind == "" || kind == "public":
		if text(in.AllocationId) == "" {
			return "", missing("AllocationId")
		}
		return "public", nil
	case kind != "private":
		return "", invalid("Value (%.64s) for parameter connectivityType is invalid. Expecting public or private.", kind)
	case in.AllocationId != nil:
		return "", combination("The parameter AllocationId cannot be used with the connectivity type private")
	}
	return "private", nil
}

func (a *API) createNatGateway(ctx context.Context, r *frontdoor.Request, in *createNatGatewayInput) (*createNatGatewayOutput, error) {
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	kind, err := in.connectivity()
	if err != nil {
		return nil, err
	}
	tags, err := tagsFor("natgateway", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	n := vpc.NATGateway{
		Arn: vpc.ARN(r.Scope, vpc.KindNATGateway, newID("nat-")), ConnectivityType: kind, SubnetID: text(in.SubnetId), State: natAvailable,
		AllocationID: text(in.AllocationId), PrivateIP: text(in.PrivateIpAddress), ClientToken: text(in.ClientToken), Tags: tags, CreatedAt: now(),
	}
	out := &createNatGatewayOutput{ClientToken: n.ClientToken}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		made, err := putNATGateway(tx, r.Scope, n)
		if err != nil {
			return err
		}
		out.NatGateway = showNATGateway(tx.Tables, r.Scope, made)
		return nil
	})
}

// putNATGateway stores a NAT gateway with its interface in its subnet and the association of its Elastic IP address. One that the same client token has made
// is returned again.
func putNATGateway(tx *state.Tx, s arn.Scope, n vpc.NATGateway) (*vpc.NATGateway, error) {
	sub, err := namedSubnet(tx.Tables, s, &n.SubnetID)
	if err != nil {
		return nil, err
	}
	if old, err := natOfToken(tx.Tables, s, n); old != nil || err != nil {
		return old, err
	}
	if natsIn(tx.Tables, s, sub.AvailabilityZone) >= mostNATGateways {
		return nil, apierr.New("NatGatewayLimitExceeded", "Performing this operation would exceed the limit of %d NAT gateways", mostNATGateways)
	}
	eni := &vpc.NetworkInterface{
		Arn: vpc.ARN(s, vpc.KindNetworkInterface, newID("eni-")), VpcID: sub.VpcID, SubnetID: sub.ID(), AvailabilityZone: sub.AvailabilityZone, MAC: newMAC(),
		Description: "Interface for NAT Gateway " + n.ID(), InterfaceType: "nat_gateway", RequesterManaged: true, CreatedAt: n.CreatedAt,
	}
	if eni.Address, err = pickAddress(tx.Tables, sub, n.PrivateIP); err != nil {
		return nil, err
	}
	n.VpcID, n.PrivateIP, n.InterfaceID = sub.VpcID, eni.Address, eni.ID()
	if n.AllocationID != "" {
		e, err := addressForNAT(tx.Tables, s, n)
		if err != nil {
			return nil, err
		}
		n.PublicIP = e.PublicIP
		tx.Put(associated(e, eni))
	}
	tx.Put(eni)
	tx.Put(&n)
	return &n, nil
}

// natOfToken is the NAT gateway that a request with n's client token has made, nil if there is none.
func natOfToken(t *state.Tables, s arn.Scope, n vpc.NATGateway) (*vpc.NATGateway, error) {
	if n.ClientToken == "" {
		return nil, nil
	}
	for old := range t.NATGateways.Under(vpc.Prefix(s, vpc.KindNATGateway), "") {
		if old.ClientToken != n.ClientToken || forgotten(old) {
			continue
		}
		if old.SubnetID != n.SubnetID || old.AllocationID != n.AllocationID || old.ConnectivityType != n.ConnectivityType || n.PrivateIP != "" && old.PrivateIP != n.PrivateIP {
			return nil, otherRequest()
		}
		return old, nil
	}
	return nil, nil
}

// natsIn is how many NAT gateways an account has in an availability zone.
func natsIn(t *state.Tables, s arn.Scope, zone string) (n int) {
	for g := range t.NATGateways.Under(vpc.Prefix(s, vpc.KindNATGateway), "") {
		if sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, g.SubnetID)); g.State == natAvailable && sub != nil && sub.AvailabilityZone == zone {
			n++
		}
	}
	return n
}

// addressForNAT is the Elastic IP address that a new NAT gateway is to have, which is free. Its VPC has an internet gateway.
func addressForNAT(t *state.Tables, s arn.Scope, n vpc.NATGateway) (*vpc.Address, error) {
	e, err := findAddress(t, s, n.AllocationID)
	switch {
	case err != nil:
		return nil, err
	case attachedGateway(t, s, n.VpcID) == nil:
		return nil, apierr.New("Gateway.NotAttached", "Network %s has no Internet gateway attached", n.VpcID)
	case e.AssociationID != "":
		return nil, alreadyAssociated(e)
	}
	return e, nil
}

// pickAddress is a free address of a subnet: the one that is asked for, or any.
func pickAddress(t *state.Tables, sub *vpc.Subnet, asked string) (string, error) {
	if asked == "" {
		any, ok := t.Interfaces.FreeAddress(sub, randomNumber())
		if !ok {
			return "", apierr.New("InsufficientFreeAddressesInSubnet",
				"The specified subnet does not have enough free addresses to satisfy the request.")
		}
		return any.String(), nil
	}
	at, err := netip.ParseAddr(asked)
	switch {
	case err != nil || !at.Is4():
		return "", invalid("invalid value for parameter address: %.64s", asked)
	case !sub.Assignable(at):
		return "", invalid("Address %s does not fall within the subnet's address range", at)
	case t.Interfaces.At(sub.ID(), at) != nil:
		return "", apierr.New("InvalidIPAddress.InUse", "Address %s is in use.", at)
	}
	return at.String(), nil
}
