package ec2

import (
	"iter"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// addressOperations are the operations on Elastic IP addresses.
func (a *API) addressOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AllocateAddress", a.allocateAddress),
		operation(a, "AssociateAddress", a.associateAddress),
		operation(a, "DescribeAddresses", a.describeAddresses),
		operation(a, "DescribeAddressesAttribute", a.describeAddressesAttribute),
		operation(a, "DisassociateAddress", a.disassociateAddress),
		operation(a, "ReleaseAddress", a.releaseAddress),
	}
}

type shownAddress struct {
	AllocationId            string
	AssociationId           string
	Domain                  string
	NetworkBorderGroup      string
	NetworkInterfaceId      string
	NetworkInterfaceOwnerId string
	PrivateIpAddress        string
	PublicIp                string
	PublicIpv4Pool          string
	TagSet                  []Tag
}

func showAddress(s arn.Scope, e *vpc.Address) shownAddress {
	out := shownAddress{
		AllocationId: e.ID(), AssociationId: e.AssociationID, Domain: "vpc", NetworkBorderGroup: s.Region, NetworkInterfaceId: e.InterfaceID,
		PrivateIpAddress: e.PrivateIP, PublicIp: e.PublicIP, PublicIpv4Pool: "amazon", TagSet: shown(e.Tags),
	}
	if e.InterfaceID != "" {
		out.NetworkInterfaceOwnerId = s.Account
	}
	return out
}

func addresses(t *state.Tables, s arn.Scope) iter.Seq[*vpc.Address] {
	return t.Addresses.Under(vpc.Prefix(s, vpc.KindAddress), "")
}

// findAddress finds the Elastic IP address with an allocation id.
func findAddress(t *state.Tables, s arn.Scope, id string) (*vpc.Address, error) {
	e := t.Addresses.Get(vpc.ARN(s, vpc.KindAddress, id))
	if e == nil {
		return nil, apierr.New("InvalidAllocationID.NotFound", "The allocation ID '%.64s' does not exist", id)
	}
	return e, nil
}

// findPublic finds the Elastic IP address that has a public address.
func findPublic(t *state.Tables, s arn.Scope, ip string) (*vpc.Address, error) {
	for e := range addresses(t, s) {
		if e.PublicIP == ip {
			return e, nil
		}
	}
	return nil, apierr.New("InvalidAddress.NotFound", "Address '%.64s' not found.", ip)
}

// addressOn is the Elastic IP address of an interface, nil if it has none.
func addressOn(t *state.Tables, s arn.Scope, interfaceID vpc.ID) *vpc.Address {
	for e := range addresses(t, s) {
		if e.InterfaceID == interfaceID {
			return e
		}
	}
	return nil
}

// associated is an Elastic IP address as that of an interface, under a new association.
func associated(e *vpc.Address, n *vpc.NetworkInterface) *vpc.Address {
	out := *e
	out.AssociationID, out.InterfaceID, out.PrivateIP = newID("eipassoc-"), n.ID(), n.Address
	return &out
}

// disassociated is an Elastic IP address that no interface has any more.
func disassociated(e *vpc.Address) *vpc.Address {
	out := *e
	out.AssociationID, out.InterfaceID, out.PrivateIP = "", "", ""
	return &out
}

func alreadyAssociated(e *vpc.Address) error {
	return apierr.New("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", e.ID(), e.AssociationID)
}

// managed refuses what a user may not change because a service of AWS manages it.
func managed() error {
	return apierr.New("AuthFailure", "You do not have permission to access the specified resource.")
}

// ofService reports whether the interface that has an Elastic IP address is one of a service's: a NAT gateway's.
func ofService(t *state.Tables, s arn.Scope, e *vpc.Address) bool {
	n := t.Interfaces.Get(vpc.ARN(s, vpc.KindNetworkInterface, e.InterfaceID))
	return n != nil && n.RequesterManaged
}
