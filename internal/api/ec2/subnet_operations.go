package ec2

import (
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// subnetOperations are the operations on subnets.
func (a *API) subnetOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "CreateDefaultSubnet", a.createDefaultSubnet),
		operation(a, "CreateSubnet", a.createSubnet),
		operation(a, "DeleteSubnet", a.deleteSubnet),
		operation(a, "DescribeSubnets", a.describeSubnets),
		operation(a, "ModifySubnetAttribute", a.modifySubnetAttribute),
	}
}

type shownSubnet struct {
	AssignIpv6AddressOnCreation   bool
	AvailabilityZone              string
	AvailabilityZoneId            string
	AvailableIpAddressCount       int32
	CidrBlock                     string
	DefaultForAz                  bool
	EnableDns64                   bool
	Ipv6CidrBlockAssociationSet   []string
	Ipv6Native                    bool
	MapCustomerOwnedIpOnLaunch    bool
	MapPublicIpOnLaunch           bool
	OwnerId                       string
	PrivateDnsNameOptionsOnLaunch shownNameOptions
	State                         string
	SubnetArn                     string
	SubnetId                      string
	TagSet                        []Tag
	VpcId                         string
}

type shownNameOptions struct {
	EnableResourceNameDnsAAAARecord bool `json:"enableResourceNameDnsAAAARecord"`
	EnableResourceNameDnsARecord    bool `json:"enableResourceNameDnsARecord"`
	HostnameType                    string
}

func showSubnet(t *state.Tables, s arn.Scope, sub *vpc.Subnet) shownSubnet {
	return shownSubnet{
		AvailabilityZone: sub.AvailabilityZone, AvailabilityZoneId: sub.AvailabilityZoneID, AvailableIpAddressCount: available(t, sub),
		CidrBlock: sub.CidrBlock, DefaultForAz: sub.DefaultForAz, Ipv6CidrBlockAssociationSet: []string{}, MapPublicIpOnLaunch: sub.MapPublicIPOnLaunch,
		OwnerId: s.Account, PrivateDnsNameOptionsOnLaunch: shownNameOptions{EnableResourceNameDnsARecord: sub.ResourceNameDNS, HostnameType: sub.PrivateDNSHostnameType},
		State: "available", SubnetArn: sub.Arn, SubnetId: sub.ID(), TagSet: shown(sub.Tags), VpcId: sub.VpcID,
	}
}

// available is how many addresses of a subnet no interface has.
func available(t *state.Tables, sub *vpc.Subnet) int32 {
	return int32(sub.Addresses() - t.Interfaces.InSubnet(sub.ID()))
}

// findSubnet finds the subnet that a request names.
func findSubnet(t *state.Tables, s arn.Scope, id string) (*vpc.Subnet, error) {
	if err := wellFormed("subnet-", "SubnetID", id); err != nil {
		return nil, err
	}
	sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, id))
	if sub == nil {
		return nil, notFound("SubnetID", "subnet ID", id)
	}
	return sub, nil
}

// namedSubnet finds the subnet in a parameter that a request must have.
func namedSubnet(t *state.Tables, s arn.Scope, id *string) (*vpc.Subnet, error) {
	if text(id) == "" {
		return nil, missing("subnetId")
	}
	return findSubnet(t, s, *id)
}

// subnetsOf are a VPC's subnets.
func subnetsOf(t *state.Tables, s arn.Scope, id vpc.ID) iter.Seq[*vpc.Subnet] {
	return where(t.Subnets.Under(vpc.Prefix(s, vpc.KindSubnet), ""), func(sub *vpc.Subnet) bool { return sub.VpcID == id })
}
