package ec2

import (
	"context"
	"slices"
	"strconv"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createNetworkInterfaceInput struct {
	ClientToken                     *string
	ConnectionTrackingSpecification *struct{ TcpEstablishedTimeout, UdpStreamTimeout, UdpTimeout *int32 }
	Description                     *string
	DryRun                          *bool
	EnablePrimaryIpv6               *bool
	Groups                          []string `json:"SecurityGroupId"`
	InterfaceType                   *string
	Ipv4PrefixCount                 *int32
	Ipv4Prefixes                    []struct{ Ipv4Prefix *string } `json:"Ipv4Prefix"`
	Ipv6AddressCount                *int32
	Ipv6Addresses                   []struct{ Ipv6Address *string }
	Ipv6PrefixCount                 *int32
	Ipv6Prefixes                    []struct{ Ipv6Prefix *string } `json:"Ipv6Prefix"`
	Operator                        *struct{ Principal *string }
	PrivateIpAddress                *string
	PrivateIpAddresses              []PrivateIpAddressSpecification
	SecondaryPrivateIpAddressCount  *int32
	SubnetId                        *string
	TagSpecifications               []TagSpecification `json:"TagSpecification"`
}

// PrivateIpAddressSpecification is an address of a new interface.
type PrivateIpAddressSpecification struct {
	Primary          *bool
	PrivateIpAddress *string
}

type createNetworkInterfaceOutput struct {
	ClientToken      string
	NetworkInterface shownInterface
}

func (in *createNetworkInterfaceInput) unsupported() error {
	some := func(n *int32) bool { return n != nil && *n != 0 }
	return noneOf(given{"ConnectionTrackingSpecification", in.ConnectionTrackingSpecification != nil},
		given{"EnablePrimaryIpv6", yes(in.EnablePrimaryIpv6)}, given{"InterfaceType", in.InterfaceType != nil && *in.InterfaceType != "interface"},
		given{"Ipv4PrefixCount", some(in.Ipv4PrefixCount)}, given{"Ipv4Prefix", len(in.Ipv4Prefixes) > 0},
		given{"Ipv6AddressCount", some(in.Ipv6AddressCount)}, given{"Ipv6Addresses", len(in.Ipv6Addresses) > 0},
		given{"Ipv6PrefixCount", some(in.Ipv6PrefixCount)}, given{"Ipv6Prefix", len(in.Ipv6Prefixes) > 0}, given{"Operator", in.Operator != nil},
		given{"SecondaryPrivateIpAddressCount", some(in.SecondaryPrivateIpAddressCount)})
}

// address is the address that a request asks for, "" where it leaves that to us. An interface has one.
func (in *createNetworkInterfaceInput) address() (string, error) {
	address := text(in.PrivateIpAddress)
	for n, a := range in.PrivateIpAddresses {
		member := "PrivateIpAddresses." + strconv.Itoa(n+1) + ".PrivateIpAddress"
		switch {
		case text(a.PrivateIpAddress) == "":
			return "", missing(member)
		case n > 0 || a.Primary != nil && !*a.Primary:
			return "", unsupported(member + " as a secondary address")
		case address != "" && address != *a.PrivateIpAddress:
			return "", combination("The parameter privateIpAddress cannot be used with the parameter privateIpAddresses")
		}
		address = *a.PrivateIpAddress
	}
	return address, nil
}

func (a *API) createNetworkInterface(ctx context.Context, r *frontdoor.Request, in *createNetworkInterfaceInput) (*createNetworkInterfaceOutput, error) {
	if err := in.unsupported(); err != nil {
		return nil, err
	}
	address, err := in.address()
	if err != nil {
		return nil, err
	}
	if err := interfaceDescription(text(in.Description)); err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	tags, err := tagsFor("network-interface", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	n := vpc.NetworkInterface{
		Arn: vpc.ARN(r.Scope, vpc.KindNetworkInterface, newID("eni-")), SubnetID: text(in.SubnetId), Address: address, MAC: newMAC(), Groups: in.Groups,
		Description: text(in.Description), InterfaceType: "interface", SourceDestCheck: true, Tags: tags, ClientToken: text(in.ClientToken), CreatedAt: now(),
	}
	out := &createNetworkInterfaceOutput{ClientToken: n.ClientToken}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		made, err := putInterface(tx, r.Scope, n)
		if err != nil {
			return err
		}
		out.NetworkInterface = showInterface(tx.Tables, r.Scope, made)
		return nil
	})
}

// putInterface stores an interface in its subnet, in the VPC's default security group where it has none, with a free address where it has none. One that
// the same client token has made is returned again.
func putInterface(tx *state.Tx, s arn.Scope, n vpc.NetworkInterface) (*vpc.NetworkInterface, error) {
	sub, err := namedSubnet(tx.Tables, s, &n.SubnetID)
	if err != nil {
		return nil, err
	}
	n.VpcID, n.AvailabilityZone = sub.VpcID, sub.AvailabilityZone
	if len(n.Groups) == 0 {
		if g := groupNamed(tx.Tables, s, sub.VpcID, defaultGroup); g != nil {
			n.Groups = []vpc.ID{g.ID()}
		}
	}
	if n.Groups, err = interfaceGroups(tx.Tables, s, sub.VpcID, n.Groups); err != nil {
		return nil, err
	}
	own := 0
	for old := range tx.Interfaces.Under(vpc.Prefix(s, vpc.KindNetworkInterface), "") {
		switch {
		case old.Task != "":
			continue
		case n.ClientToken != "" && old.ClientToken == n.ClientToken:
			return sameInterface(old, n)
		}
		own++
	}
	if own >= mostInterfaces {
		return nil, apierr.New("NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached.")
	}
	if n.Address, err = pickAddress(tx.Tables, sub, n.Address); err != nil {
		return nil, err
	}
	tx.Put(&n)
	return &n, nil
}

// sameInterface is the interface that a client token has made, where the request that has it again is the same.
func sameInterface(old *vpc.NetworkInterface, n vpc.NetworkInterface) (*vpc.NetworkInterface, error) {
	if old.SubnetID != n.SubnetID || old.Description != n.Description || !slices.Equal(old.Groups, n.Groups) || n.Address != "" && old.Address != n.Address {
		return nil, otherRequest()
	}
	return old, nil
}
