package ec2

import (
	"strings"
	"testing"
)

func TestWrongRouteRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "DescribeRouteTables Filter.1.Name=vpc-id Filter.1.Value.1=vpc-#1")
	a.must(t, "CreateVpc CidrBlock=10.1.0.0/16")
	a.must(t, "DescribeRouteTables Filter.1.Name=vpc-id Filter.1.Value.1=vpc-#2")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.0/24")
	a.must(t, "CreateSubnet VpcId=vpc-#2 CidrBlock=10.1.1.0/24")
	a.must(t, "CreateInternetGateway")
	a.must(t, "AttachInternetGateway VpcId=vpc-#2 InternetGatewayId=igw-#1")
	a.must(t, "CreateInternetGateway")
	a.must(t, "CreateRouteTable VpcId=vpc-#1 ClientToken=once")
	a.must(t, "AssociateRouteTable RouteTableId=rtb-#3 SubnetId=subnet-#1")
	a.must(t, "CreateNatGateway SubnetId=subnet-#2 ConnectivityType=private")
	a.must(t, "CreateNatGateway SubnetId=subnet-#1 ConnectivityType=private")
	a.must(t, "CreateRoute RouteTableId=rtb-#1 DestinationCidrBlock=10.9.1.0/24 NatGatewayId=nat-#2")
	const (
		value, combination, missing = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"
		nothing                     = "rtb-00000000000000000"
		nobody                      = "The routeTable ID 'rtb-00000000000000000' does not exist"
		noTable                     = "The request must contain the parameter routeTableId"
		noDestination               = "The request must contain the parameter destinationCidrBlock"
		anywhere                    = " RouteTableId=rtb-#1 DestinationCidrBlock=0.0.0.0/0 "
		noAssociation               = "The association ID 'rtbassoc-00000000000000000' does not exist"
	)
	tests := []wrong{
		{"CreateRouteTable", missing, "The request must contain the parameter vpcId"},
		{"CreateRouteTable VpcId=" + nothingVPC, "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
		{"CreateRouteTable VpcId=vpc-#2 ClientToken=once", "IdempotentParameterMismatch",
			"The client token you have provided is associated with a resource that was made with different parameters."},
		{"CreateRouteTable VpcId=vpc-#2 ClientToken=" + strings.Repeat("t", 65), value, "Invalid client token: it can have up to 64 ASCII characters."},
		{"CreateRouteTable VpcId=vpc-#2 ClientToken=ü", value, "Invalid client token: it can have up to 64 ASCII characters."},
		{"CreateRouteTable VpcId=vpc-#2 TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},

		{"DeleteRouteTable", missing, noTable},
		{"DeleteRouteTable RouteTableId=x", "InvalidRouteTableId.Malformed", `Invalid id: "x" (expecting "rtb-...")`},
		{"DeleteRouteTable RouteTableId=" + nothing, "InvalidRouteTableID.NotFound", nobody},
		{"DeleteRouteTable RouteTableId=rtb-#1", "DependencyViolation", "The routeTable 'rtb-#1' has dependencies and cannot be deleted."},
		{"DeleteRouteTable RouteTableId=rtb-#3", "DependencyViolation", "The routeTable 'rtb-#3' has dependencies and cannot be deleted."},

		{"DescribeRouteTables RouteTableId.1=" + nothing, "InvalidRouteTableID.NotFound", nobody},
		{"DescribeRouteTables Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},

		{"AssociateRouteTable SubnetId=subnet-#1", missing, noTable},
		{"AssociateRouteTable RouteTableId=rtb-#1", missing, "The request must contain the parameter subnetId"},
		{"AssociateRouteTable RouteTableId=" + nothing + " SubnetId=subnet-#1", "InvalidRouteTableID.NotFound", nobody},
		{"AssociateRouteTable RouteTableId=rtb-#1 SubnetId=subnet-00000000000000000", "InvalidSubnetID.NotFound",
			"The subnet ID 'subnet-00000000000000000' does not exist"},
		{"AssociateRouteTable RouteTableId=rtb-#1 SubnetId=subnet-#2", value, "route table rtb-#1 and subnet subnet-#2 belong to different networks"},
		{"AssociateRouteTable RouteTableId=rtb-#1 SubnetId=subnet-#1", "Resource.AlreadyAssociated",
			"the specified association for route table rtb-#1 conflicts with an existing association"},
		refused("AssociateRouteTable RouteTableId=rtb-#1 GatewayId=igw-#1", "GatewayId"),
		refused("AssociateRouteTable RouteTableId=rtb-#1 PublicIpv4Pool=p", "PublicIpv4Pool"),

		{"DisassociateRouteTable", missing, "The request must contain the parameter associationId"},
		{"DisassociateRouteTable AssociationId=x", "InvalidAssociationID.Malformed", `Invalid id: "x" (expecting "rtbassoc-...")`},
		{"DisassociateRouteTable AssociationId=rtbassoc-00000000000000000", "InvalidAssociationID.NotFound", noAssociation},
		{"DisassociateRouteTable AssociationId=rtbassoc-#1", value, "cannot disassociate the main route table association rtbassoc-#1"},

		{"ReplaceRouteTableAssociation RouteTableId=rtb-#1", missing, "The request must contain the parameter associationId"},
		{"ReplaceRouteTableAssociation AssociationId=rtbassoc-#1", missing, noTable},
		{"ReplaceRouteTableAssociation RouteTableId=rtb-#1 AssociationId=rtbassoc-00000000000000000", "InvalidAssociationID.NotFound", noAssociation},
		{"ReplaceRouteTableAssociation AssociationId=rtbassoc-#1 RouteTableId=" + nothing, "InvalidRouteTableID.NotFound", nobody},
		{"ReplaceRouteTableAssociation AssociationId=rtbassoc-#1 RouteTableId=rtb-#2", value,
			"route table rtb-#2 and the association rtbassoc-#1 belong to different networks"},

		{"DeleteRoute RouteTableId=rtb-#1", missing, noDestination},
		{"DeleteRoute DestinationCidrBlock=0.0.0.0/0", missing, noTable},
		{"DeleteRoute DestinationCidrBlock=0.0.0.0/0 RouteTableId=" + nothing, "InvalidRouteTableID.NotFound", nobody},
		{"DeleteRoute RouteTableId=rtb-#1 DestinationCidrBlock=x", value, "Value (x) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."},
		{"DeleteRoute RouteTableId=rtb-#1 DestinationCidrBlock=0.0.0.0/0", "InvalidRoute.NotFound",
			"no route with destination-cidr-block 0.0.0.0/0 in route table rtb-#1"},
		{"DeleteRoute RouteTableId=rtb-#1 DestinationCidrBlock=10.0.0.0/16", value, "cannot remove local route 10.0.0.0/16 in route table rtb-#1"},
		refused("DeleteRoute RouteTableId=rtb-#1 DestinationIpv6CidrBlock=::/0", "DestinationIpv6CidrBlock"),
		refused("DeleteRoute RouteTableId=rtb-#1 DestinationPrefixListId=pl-1", "DestinationPrefixListId"),

		{"CreateRoute RouteTableId=rtb-#1 DestinationCidrBlock=10.9.1.0/24 NatGatewayId=nat-#2", "RouteAlreadyExists",
			"The route identified by 10.9.1.0/24 already exists."},
		{"ReplaceRoute" + anywhere + "NatGatewayId=nat-#2", value, "There is no route defined for '0.0.0.0/0' in the route table. Use CreateRoute instead."},
		refused("ReplaceRoute"+anywhere+"LocalTarget=true", "LocalTarget"),
	}
	for _, operation := range []string{"CreateRoute", "ReplaceRoute"} {
		with := operation + anywhere
		inside := " is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance."
		tests = append(tests, []wrong{
			{operation + " RouteTableId=rtb-#1 NatGatewayId=nat-#2", missing, noDestination},
			{operation + " DestinationCidrBlock=0.0.0.0/0 NatGatewayId=nat-#2", missing, noTable},
			{operation + " DestinationCidrBlock=0.0.0.0/0 NatGatewayId=nat-#2 RouteTableId=" + nothing, "InvalidRouteTableID.NotFound", nobody},
			{operation + " RouteTableId=rtb-#1 NatGatewayId=nat-#2 DestinationCidrBlock=::/0", value,
				"Value (::/0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block."},
			{with, missing, "The request must contain the parameter gatewayId or natGatewayId"},
			{with + "GatewayId=igw-#1 NatGatewayId=nat-#2", combination, "The request must contain exactly one of gatewayId or natGatewayId"},
			{with + "GatewayId=local", "InvalidGatewayID.NotFound", "The gateway ID 'local' does not exist"},
			{with + "GatewayId=vgw-00000000000000000", "InvalidGatewayID.NotFound", "The gateway ID 'vgw-00000000000000000' does not exist"},
			{with + "GatewayId=igw-00000000000000000", "InvalidInternetGatewayID.NotFound", "The internetGateway ID 'igw-00000000000000000' does not exist"},
			{with + "GatewayId=igw-#1", value, "route table rtb-#1 and network gateway igw-#1 belong to different networks"},
			{with + "GatewayId=igw-#2", value, "route table rtb-#1 and network gateway igw-#2 belong to different networks"},
			{with + "NatGatewayId=nat-00000000000000000", "NatGatewayNotFound", "The Nat Gateway nat-00000000000000000 was not found"},
			{with + "NatGatewayId=nat-#1", value, "route table rtb-#1 and NAT gateway nat-#1 belong to different networks"},
			{operation + " RouteTableId=rtb-#1 DestinationCidrBlock=10.0.0.0/16 NatGatewayId=nat-#2", value, "The destination CIDR block 10.0.0.0/16" + inside},
			{operation + " RouteTableId=rtb-#1 DestinationCidrBlock=10.0.5.0/24 NatGatewayId=nat-#2", value, "The destination CIDR block 10.0.5.0/24" + inside},
		}...)
		for _, member := range []string{"CarrierGatewayId", "CoreNetworkArn", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "EgressOnlyInternetGatewayId",
			"InstanceId", "LocalGatewayId", "NetworkInterfaceId", "OdbNetworkArn", "TransitGatewayId", "VpcEndpointId", "VpcPeeringConnectionId"} {
			tests = append(tests, refused(with+member+"=x", member))
		}
	}
	a.refuses(t, tests)
}

func TestWrongInternetGatewayRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "CreateInternetGateway")
	a.must(t, "AttachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#1")
	a.must(t, "CreateInternetGateway")
	const (
		missing   = "MissingParameter"
		noGateway = "The request must contain the parameter internetGatewayId"
		nothing   = "igw-00000000000000000"
		nobody    = "The internetGateway ID 'igw-00000000000000000' does not exist"
		malformed = `Invalid id: "x" (expecting "igw-...")`
	)
	tests := []wrong{
		{"CreateInternetGateway TagSpecification.1.ResourceType=vpc", "InvalidParameterValue", "'vpc' is not a valid taggable resource type for this operation."},
		{"DeleteInternetGateway", missing, noGateway},
		{"DeleteInternetGateway InternetGatewayId=x", "InvalidInternetGatewayId.Malformed", malformed},
		{"DeleteInternetGateway InternetGatewayId=" + nothing, "InvalidInternetGatewayID.NotFound", nobody},
		{"DeleteInternetGateway InternetGatewayId=igw-#1", "DependencyViolation", "The internetGateway 'igw-#1' has dependencies and cannot be deleted."},
		{"DescribeInternetGateways InternetGatewayId.1=" + nothing, "InvalidInternetGatewayID.NotFound", nobody},
		{"DescribeInternetGateways Filter.1.Name=x Filter.1.Value.1=y", "InvalidParameterValue", "The filter 'x' is invalid"},
		{"AttachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#1", "Resource.AlreadyAssociated", "resource igw-#1 is already attached to network vpc-#1"},
		{"AttachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#2", "InvalidParameterValue", "Network vpc-#1 already has an internet gateway attached"},
		{"AttachInternetGateway InternetGatewayId=igw-#1 VpcId=" + nothingVPC, "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
		{"DetachInternetGateway InternetGatewayId=igw-#1 VpcId=" + nothingVPC, "Gateway.NotAttached", "resource igw-#1 is not attached to network vpc-00000000000000000"},
		{"DetachInternetGateway InternetGatewayId=igw-#1 VpcId=x", "InvalidVpcID.Malformed", `Invalid id: "x" (expecting "vpc-...")`},
		{"DetachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#2", "Gateway.NotAttached", "resource igw-#2 is not attached to network vpc-#1"},
	}
	for _, operation := range []string{"AttachInternetGateway", "DetachInternetGateway"} {
		tests = append(tests, []wrong{
			{operation + " VpcId=vpc-#1", missing, noGateway},
			{operation + " InternetGatewayId=igw-#1", missing, "The request must contain the parameter vpcId"},
			{operation + " VpcId=vpc-#1 InternetGatewayId=" + nothing, "InvalidInternetGatewayID.NotFound", nobody},
		}...)
	}
	a.refuses(t, tests)
}
