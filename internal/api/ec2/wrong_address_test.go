package ec2

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"berth/internal/vpc"
)

// ownInterface is an interface of a user in the subnet that a test made first.
func (a *account) ownInterface(t *testing.T, n int, subnet string) *vpc.NetworkInterface {
	t.Helper()
	sub := a.store.View().Subnets.Get(vpc.ARN(testScope, vpc.KindSubnet, subnet))
	i := &vpc.NetworkInterface{
		Arn: vpc.ARN(testScope, vpc.KindNetworkInterface, fmt.Sprintf("eni-%017x", n)), VpcID: sub.VpcID, SubnetID: sub.ID(), AvailabilityZone: sub.AvailabilityZone,
		Address: sub.Address(uint32(n)).String(), InterfaceType: "interface", CreatedAt: time.Unix(0, 0).UTC(),
	}
	a.put(t, i)
	a.named(i.ID())
	return i
}

func TestWrongAddressRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.0/28")
	a.must(t, "CreateInternetGateway")
	a.must(t, "AttachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#1")
	for range 4 {
		a.must(t, "AllocateAddress")
	}
	a.must(t, "CreateNatGateway SubnetId=subnet-#1 AllocationId=eipalloc-#1 ClientToken=once PrivateIpAddress=10.0.1.14") // eni-#1
	a.ownInterface(t, 1, a.known(t, "subnet-#1"))                                                                         // eni-#2
	a.ownInterface(t, 2, a.known(t, "subnet-#1"))                                                                         // eni-#3
	a.must(t, "AssociateAddress AllocationId=eipalloc-#2 NetworkInterfaceId=eni-#2")
	a.must(t, "CreateVpc CidrBlock=10.1.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#2 CidrBlock=10.1.1.0/28")
	a.ownInterface(t, 3, a.known(t, "subnet-#2")) // eni-#4
	ip := func(n int) string {
		e, err := findAddress(a.store.View().Tables, testScope, a.known(t, fmt.Sprint("eipalloc-#", n)))
		if err != nil {
			t.Fatal(err)
		}
		return e.PublicIP
	}
	const (
		value, combination, missing = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"
		noAddress                   = "Either public IP or allocation id must be specified"
		nothing                     = "eipalloc-00000000000000000"
		nobody                      = "The allocation ID 'eipalloc-00000000000000000' does not exist"
		permission                  = "You do not have permission to access the specified resource."
		nat                         = "CreateNatGateway SubnetId=subnet-#1 "
	)
	a.refuses(t, []wrong{
		{"AllocateAddress Domain=standard", value, "Invalid value 'standard' for domain. Expecting vpc."},
		{"AllocateAddress TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		refused("AllocateAddress Address=198.18.0.1", "Address"), refused("AllocateAddress CustomerOwnedIpv4Pool=p", "CustomerOwnedIpv4Pool"),
		refused("AllocateAddress IpamPoolId=p", "IpamPoolId"), refused("AllocateAddress NetworkBorderGroup=us-east-1-wl1", "NetworkBorderGroup"),
		refused("AllocateAddress PublicIpv4Pool=p", "PublicIpv4Pool"),

		{"ReleaseAddress", missing, noAddress},
		{"ReleaseAddress PublicIp=198.18.0.1", value, "You must specify an allocation id when releasing a VPC elastic IP address"},
		{"ReleaseAddress PublicIp=198.18.0.1 AllocationId=eipalloc-#4", combination, "You may specify public IP or allocation id, but not both in the same call"},
		{"ReleaseAddress AllocationId=" + nothing, "InvalidAllocationID.NotFound", nobody},
		{"ReleaseAddress AllocationId=eipalloc-#1", "AuthFailure", permission},
		{"ReleaseAddress AllocationId=eipalloc-#2", "InvalidIPAddress.InUse", "Address " + ip(2) + " is in use."},
		{"ReleaseAddress AllocationId=eipalloc-#3 NetworkBorderGroup=x", value, "Invalid value 'x' for NetworkBorderGroup: the address is of us-east-1."},

		{"AssociateAddress NetworkInterfaceId=eni-#3", missing, noAddress},
		{"AssociateAddress NetworkInterfaceId=eni-#3 AllocationId=eipalloc-#3 PublicIp=198.18.0.1", combination,
			"You may specify public IP or allocation id, but not both in the same call"},
		{"AssociateAddress AllocationId=eipalloc-#3", missing, "Either 'InstanceId' or 'NetworkInterfaceId' must be provided"},
		{"AssociateAddress AllocationId=eipalloc-#3 InstanceId=i-1123456789abcdef0", "InvalidInstanceID.NotFound",
			"The instance ID 'i-1123456789abcdef0' does not exist"},
		{"AssociateAddress AllocationId=eipalloc-#3 InstanceId=i-1 NetworkInterfaceId=eni-#3", combination,
			"You may specify either instance id or network interface id, but not both in the same call"},
		{"AssociateAddress NetworkInterfaceId=eni-#3 AllocationId=" + nothing, "InvalidAllocationID.NotFound", nobody},
		{"AssociateAddress NetworkInterfaceId=eni-#3 PublicIp=198.18.0.0", "InvalidAddress.NotFound", "Address '198.18.0.0' not found."},
		{"AssociateAddress NetworkInterfaceId=x AllocationId=eipalloc-#3", "InvalidNetworkInterfaceID.Malformed", `Invalid id: "x" (expecting "eni-...")`},
		{"AssociateAddress NetworkInterfaceId=eni-00000000000000000 AllocationId=eipalloc-#3", "InvalidNetworkInterfaceID.NotFound",
			"The networkInterface ID 'eni-00000000000000000' does not exist"},
		{"AssociateAddress NetworkInterfaceId=eni-#1 AllocationId=eipalloc-#3", "AuthFailure", permission},
		{"AssociateAddress NetworkInterfaceId=eni-#3 AllocationId=eipalloc-#3 PrivateIpAddress=10.0.1.9", value,
			"Invalid value '10.0.1.9' for privateIpAddress. It is not an address of eni-#3."},
		{"AssociateAddress NetworkInterfaceId=eni-#4 AllocationId=eipalloc-#3", "Gateway.NotAttached", "Network vpc-#2 is not attached to any internet gateway"},
		{"AssociateAddress NetworkInterfaceId=eni-#3 AllocationId=eipalloc-#2 AllowReassociation=false", "Resource.AlreadyAssociated",
			"resource eipalloc-#2 is already associated with associate-id eipassoc-#2"},
		{"AssociateAddress NetworkInterfaceId=eni-#2 AllocationId=eipalloc-#3 AllowReassociation=false", "Resource.AlreadyAssociated",
			"resource eni-#2 is already associated with associate-id eipassoc-#2"},
		{"AssociateAddress NetworkInterfaceId=eni-#3 AllocationId=eipalloc-#1", "AuthFailure", permission},

		{"DisassociateAddress", missing, "Either public IP or association id must be specified"},
		{"DisassociateAddress AssociationId=eipassoc-#2 PublicIp=198.18.0.1", combination,
			"You may specify public IP or association id, but not both in the same call"},
		{"DisassociateAddress AssociationId=eipassoc-00000000000000000", "InvalidAssociationID.NotFound",
			"The association ID 'eipassoc-00000000000000000' does not exist"},
		{"DisassociateAddress PublicIp=198.18.0.0", "InvalidAddress.NotFound", "Address '198.18.0.0' not found."},
		{"DisassociateAddress AssociationId=eipassoc-#1", "AuthFailure", permission},

		{"DescribeAddresses AllocationId.1=" + nothing, "InvalidAllocationID.NotFound", nobody},
		{"DescribeAddresses PublicIp.1=198.18.0.0", "InvalidAddress.NotFound", "Address '198.18.0.0' not found."},
		{"DescribeAddresses Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
		{"DescribeAddressesAttribute Attribute=x", value, "Value (x) for parameter attribute is invalid. Unknown attribute."},
		{"DescribeAddressesAttribute AllocationId.1=" + nothing, "InvalidAllocationID.NotFound", nobody},
		{"DescribeAddressesAttribute MaxResults=0", value, "Value ( 0 ) for parameter maxResults is invalid. Expecting a value greater than 1."},

		{"CreateNatGateway ConnectivityType=private", missing, "The request must contain the parameter subnetId"},
		{"CreateNatGateway ConnectivityType=private SubnetId=subnet-00000000000000000", "InvalidSubnetID.NotFound",
			"The subnet ID 'subnet-00000000000000000' does not exist"},
		{nat, missing, "The request must contain the parameter AllocationId"},
		{nat + "ConnectivityType=x", value, "Value (x) for parameter connectivityType is invalid. Expecting public or private."},
		{nat + "ConnectivityType=private AllocationId=eipalloc-#3", combination, "The parameter AllocationId cannot be used with the connectivity type private"},
		{nat + "AllocationId=" + nothing, "InvalidAllocationID.NotFound", nobody},
		{nat + "AllocationId=eipalloc-#2", "Resource.AlreadyAssociated", "resource eipalloc-#2 is already associated with associate-id eipassoc-#2"},
		{"CreateNatGateway SubnetId=subnet-#2 AllocationId=eipalloc-#3", "Gateway.NotAttached", "Network vpc-#2 has no Internet gateway attached"},
		{nat + "AllocationId=eipalloc-#3 PrivateIpAddress=x", value, "invalid value for parameter address: x"},
		{nat + "AllocationId=eipalloc-#3 PrivateIpAddress=10.0.1.3", value, "Address 10.0.1.3 does not fall within the subnet's address range"},
		{nat + "AllocationId=eipalloc-#3 PrivateIpAddress=10.0.1.15", value, "Address 10.0.1.15 does not fall within the subnet's address range"},
		{nat + "AllocationId=eipalloc-#3 PrivateIpAddress=10.0.1.14", "InvalidIPAddress.InUse", "Address 10.0.1.14 is in use."},
		{nat + "AllocationId=eipalloc-#3 TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		{nat + "AllocationId=eipalloc-#3 ClientToken=once", "IdempotentParameterMismatch",
			"The client token you have provided is associated with a resource that was made with different parameters."},
		{nat + "AllocationId=eipalloc-#3 ClientToken=" + strings.Repeat("t", 65), value, "Invalid client token: it can have up to 64 ASCII characters."},
		refused(nat+"AvailabilityMode=regional", "AvailabilityMode"), refused(nat+"AvailabilityZoneAddress.1.AvailabilityZone=x", "AvailabilityZoneAddress"),
		refused(nat+"SecondaryAllocationId.1=x", "SecondaryAllocationId"), refused(nat+"SecondaryPrivateIpAddress.1=x", "SecondaryPrivateIpAddress"),
		refused(nat+"SecondaryPrivateIpAddressCount=1", "SecondaryPrivateIpAddressCount"), refused(nat+"VpcId=vpc-#1", "VpcId"),

		{"DeleteNatGateway", missing, "The request must contain the parameter natGatewayId"},
		{"DeleteNatGateway NatGatewayId=x", "NatGatewayMalformed", `Invalid id: "x" (expecting "nat-...")`},
		{"DeleteNatGateway NatGatewayId=nat-00000000000000000", "NatGatewayNotFound", "The Nat Gateway nat-00000000000000000 was not found"},
		{"DescribeNatGateways NatGatewayId.1=nat-00000000000000000", "NatGatewayNotFound", "The Nat Gateway nat-00000000000000000 was not found"},
		{"DescribeNatGateways Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
	})
}

// A full subnet has no address for a NAT gateway.
func TestFullSubnet(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/28")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.0.0/28")
	for range 11 {
		a.must(t, "CreateNatGateway SubnetId=subnet-#1 ConnectivityType=private")
	}
	a.refuses(t, []wrong{{"CreateNatGateway SubnetId=subnet-#1 ConnectivityType=private", "InsufficientFreeAddressesInSubnet",
		"The specified subnet does not have enough free addresses to satisfy the request."}})
}
