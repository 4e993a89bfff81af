package ec2

import (
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// natGatewayOperations are the operations on NAT gateways.
func (a *API) natGatewayOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "CreateNatGateway", a.createNatGateway),
		operation(a, "DeleteNatGateway", a.deleteNatGateway),
		operation(a, "DescribeNatGateways", a.describeNatGateways),
	}
}

// The states of a NAT gateway, which changes at once.
const (
	natAvailable = "available"
	natDeleted   = "deleted"
)

// zonal is what NAT gateways are: of one subnet.
const zonal = "zonal"

// natShown is for how long a deleted NAT gateway is shown, as on AWS.
const natShown = time.Hour

type shownNATGateway struct {
	AvailabilityMode     string
	ConnectivityType     string
	CreateTime           time.Time
	DeleteTime           *time.Time
	NatGatewayAddressSet []shownNATAddress
	NatGatewayId         string
	State                string
	SubnetId             string
	TagSet               []Tag
	VpcId                string
}

type shownNATAddress struct {
	AllocationId       string
	AssociationId      string
	IsPrimary          bool
	NetworkInterfaceId string
	PrivateIp          string
	PublicIp           string
	Status             string
}

func showNATGateway(t *state.Tables, s arn.Scope, n *vpc.NATGateway) shownNATGateway {
	address := shownNATAddress{
		AllocationId: n.AllocationID, IsPrimary: true, NetworkInterfaceId: n.InterfaceID, PrivateIp: n.PrivateIP, PublicIp: n.PublicIP, Status: "succeeded",
	}
	if e := t.Addresses.Get(vpc.ARN(s, vpc.KindAddress, n.AllocationID)); e != nil && e.InterfaceID == n.InterfaceID {
		address.AssociationId = e.AssociationID
	}
	return shownNATGateway{
		AvailabilityMode: zonal, ConnectivityType: n.ConnectivityType, CreateTime: n.CreatedAt, DeleteTime: n.DeletedAt, NatGatewayAddressSet: []shownNATAddress{address},
		NatGatewayId: n.ID(), State: n.State, SubnetId: n.SubnetID, TagSet: shown(n.Tags), VpcId: n.VpcID,
	}
}

// findNATGateway finds the NAT gateway that a request names. One that was deleted less than an hour ago is found.
func findNATGateway(t *state.Tables, s arn.Scope, id string) (*vpc.NATGateway, error) {
	if err := wellFormed("nat-", "NatGatewayID", id); err != nil {
		return nil, apierr.New("NatGatewayMalformed", "%s", apierr.As(err).Message)
	}
	n := t.NATGateways.Get(vpc.ARN(s, vpc.KindNATGateway, id))
	if n == nil || forgotten(n) {
		return nil, apierr.New("NatGatewayNotFound", "The Nat Gateway %s was not found", id)
	}
	return n, nil
}

// forgotten reports whether a NAT gateway was deleted so long ago that it is not shown any more.
func forgotten(n *vpc.NATGateway) bool {
	return n.DeletedAt != nil && now().Sub(*n.DeletedAt) >= natShown
}
