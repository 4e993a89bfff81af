package ec2

import "testing"

const (
	nothingVPC     = "vpc-00000000000000000"
	notActedOnText = " leave it out. docs/coverage.md lists what it acts on."
)

// refused is the request that names a member which Berth does not act on.
func refused(line, member string) wrong {
	return wrong{line, "UnsupportedOperation", "Berth does not act on " + member + ";" + notActedOnText}
}

func TestWrongVPCRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.0/24")
	a.must(t, "AssociateVpcCidrBlock VpcId=vpc-#1 CidrBlock=100.64.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=100.64.0.0/24")
	a.must(t, "DescribeRouteTables Filter.1.Name=vpc-id Filter.1.Value.1=vpc-#1")
	a.must(t, "CreateInternetGateway")
	a.must(t, "AttachInternetGateway VpcId=vpc-#1 InternetGatewayId=igw-#1")
	a.must(t, "CreateRoute RouteTableId=rtb-#1 DestinationCidrBlock=10.9.1.0/24 GatewayId=igw-#1")
	const (
		value, combination, missing, vpcRange = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "InvalidVpc.Range"
		noCidr                                = "The request must contain the parameter cidrBlock"
		noVPC                                 = "The request must contain the parameter vpcId"
		nobody                                = "The vpc ID 'vpc-00000000000000000' does not exist"
		malformed                             = `Invalid id: "vpc-1" (expecting "vpc-...")`
	)
	a.refuses(t, []wrong{
		{"CreateVpc", missing, noCidr},
		{"CreateVpc CidrBlock=10.0.0.0", value, "Value (10.0.0.0) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		{"CreateVpc CidrBlock=2001:db8::/32", value, "Value (2001:db8::/32) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		{"CreateVpc CidrBlock=10.0.0.0/15", vpcRange, "The CIDR '10.0.0.0/15' is invalid."},
		{"CreateVpc CidrBlock=10.0.0.0/29", vpcRange, "The CIDR '10.0.0.0/29' is invalid."},
		{"CreateVpc CidrBlock=127.0.0.0/16", vpcRange, "The CIDR '127.0.0.0/16' is invalid."},
		{"CreateVpc CidrBlock=198.18.5.0/24", vpcRange, "The CIDR '198.18.5.0/24' is invalid."},
		{"CreateVpc CidrBlock=10.9.0.0/16 InstanceTenancy=host", "UnsupportedTenancy", "The tenancy value host is not supported."},
		{"CreateVpc CidrBlock=10.9.0.0/16 TagSpecification.1.ResourceType=subnet", value, "'subnet' is not a valid taggable resource type for this operation."},
		{"CreateVpc CidrBlock=10.9.0.0/16 TagSpecification.1.Tag.1.Key=a", missing, "The request must contain the parameter ResourceType"},
		refused("CreateVpc CidrBlock=10.9.0.0/16 AmazonProvidedIpv6CidrBlock=true", "AmazonProvidedIpv6CidrBlock"),
		refused("CreateVpc Ipv4IpamPoolId=p", "Ipv4IpamPoolId"),
		refused("CreateVpc Ipv4NetmaskLength=16", "Ipv4NetmaskLength"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 Ipv6CidrBlock=2001:db8::/56", "Ipv6CidrBlock"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 Ipv6CidrBlockNetworkBorderGroup=g", "Ipv6CidrBlockNetworkBorderGroup"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 Ipv6IpamPoolId=p", "Ipv6IpamPoolId"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 Ipv6NetmaskLength=56", "Ipv6NetmaskLength"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 Ipv6Pool=p", "Ipv6Pool"),
		refused("CreateVpc CidrBlock=10.9.0.0/16 VpcEncryptionControl.Mode=enforce", "VpcEncryptionControl"),

		{"DeleteVpc", missing, noVPC},
		{"DeleteVpc VpcId=vpc-1", "InvalidVpcID.Malformed", malformed},
		{"DeleteVpc VpcId=" + nothingVPC, "InvalidVpcID.NotFound", nobody},
		{"DeleteVpc VpcId=vpc-#1", "DependencyViolation", "The vpc 'vpc-#1' has dependencies and cannot be deleted."},

		{"DescribeVpcs VpcId.1=vpc-1", "InvalidVpcID.Malformed", malformed},
		{"DescribeVpcs VpcId.1=" + nothingVPC, "InvalidVpcID.NotFound", nobody},
		{"DescribeVpcs Filter.1.Name=colour Filter.1.Value.1=red", value, "The filter 'colour' is invalid"},
		{"DescribeVpcs Filter.1.Value.1=red", missing, "The request must contain the parameter Filter.1.Name"},
		{"DescribeVpcs MaxResults=4", value, "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5."},
		{"DescribeVpcs MaxResults=5 VpcId.1=vpc-#1", combination, "The parameter MaxResults cannot be used with the parameter that names resources"},
		{"DescribeVpcs NextToken=?", "InvalidNextToken", "The token '?' is invalid"},
		{"DescribeVpcs NextToken=xx", "InvalidNextToken", "The token 'xx' is invalid"},
		{"DescribeTags NextToken=xx", "InvalidNextToken", "The token 'xx' is invalid"},
		{"DescribeTags NextToken=YWRkcmVzc2VzIGE", "InvalidNextToken", "The token 'YWRkcmVzc2VzIGE' is invalid"}, // "addresses a", another list's

		{"DescribeVpcAttribute VpcId=vpc-#1", missing, "The request must contain the parameter attribute"},
		{"DescribeVpcAttribute Attribute=enableDnsSupport", missing, noVPC},
		{"DescribeVpcAttribute Attribute=enableDnsSupport VpcId=" + nothingVPC, "InvalidVpcID.NotFound", nobody},
		{"DescribeVpcAttribute Attribute=x VpcId=vpc-#1", value, "Value (x) for parameter attribute is invalid. Unknown attribute."},

		{"ModifyVpcAttribute VpcId=vpc-#1", combination, "No attributes specified."},
		{"ModifyVpcAttribute VpcId=vpc-#1 EnableDnsSupport.Value=true EnableDnsHostnames.Value=true", combination,
			"Fields for multiple attribute types specified"},
		{"ModifyVpcAttribute EnableDnsSupport.Value=true", missing, noVPC},
		{"ModifyVpcAttribute EnableDnsSupport.Value=true VpcId=" + nothingVPC, "InvalidVpcID.NotFound", nobody},
		refused("ModifyVpcAttribute VpcId=vpc-#1 EnableNetworkAddressUsageMetrics.Value=true", "EnableNetworkAddressUsageMetrics"),

		{"ModifyVpcTenancy VpcId=vpc-#1", missing, "The request must contain the parameter instanceTenancy"},
		{"ModifyVpcTenancy VpcId=vpc-#1 InstanceTenancy=dedicated", "UnsupportedTenancy", "The tenancy value dedicated is not supported."},
		{"ModifyVpcTenancy InstanceTenancy=default", missing, noVPC},
		{"ModifyVpcTenancy InstanceTenancy=default VpcId=" + nothingVPC, "InvalidVpcID.NotFound", nobody},

		{"AssociateVpcCidrBlock VpcId=vpc-#1", missing, noCidr},
		{"AssociateVpcCidrBlock CidrBlock=10.1.0.0/16", missing, noVPC},
		{"AssociateVpcCidrBlock VpcId=" + nothingVPC + " CidrBlock=10.1.0.0/16", "InvalidVpcID.NotFound", nobody},
		{"AssociateVpcCidrBlock VpcId=vpc-#1 CidrBlock=10.1.0.0/29", vpcRange, "The CIDR '10.1.0.0/29' is invalid."},
		{"AssociateVpcCidrBlock VpcId=vpc-#1 CidrBlock=10.0.128.0/24", vpcRange, "The CIDR '10.0.128.0/24' conflicts with another CIDR block of vpc-#1."},
		{"AssociateVpcCidrBlock VpcId=vpc-#1 CidrBlock=192.168.0.0/16", vpcRange, "The CIDR '192.168.0.0/16' is restricted. Use a CIDR from the same private " +
			"address range as the current VPC CIDR, or use a publicly-routable CIDR. For additional restrictions, see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"},
		{"AssociateVpcCidrBlock VpcId=vpc-#1 CidrBlock=10.9.0.0/16", vpcRange,
			"The CIDR '10.9.0.0/16' is the same as or larger than the destination 10.9.1.0/24 of a route in rtb-#1."},
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 AmazonProvidedIpv6CidrBlock=true", "AmazonProvidedIpv6CidrBlock"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv4IpamPoolId=p", "Ipv4IpamPoolId"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv4NetmaskLength=20", "Ipv4NetmaskLength"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv6CidrBlock=2001:db8::/56", "Ipv6CidrBlock"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv6CidrBlockNetworkBorderGroup=g", "Ipv6CidrBlockNetworkBorderGroup"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv6IpamPoolId=p", "Ipv6IpamPoolId"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv6NetmaskLength=56", "Ipv6NetmaskLength"),
		refused("AssociateVpcCidrBlock VpcId=vpc-#1 Ipv6Pool=p", "Ipv6Pool"),

		{"DisassociateVpcCidrBlock", missing, "The request must contain the parameter associationId"},
		{"DisassociateVpcCidrBlock AssociationId=vpc-1", "InvalidVpcCidrBlockAssociationID.Malformed", `Invalid id: "vpc-1" (expecting "vpc-cidr-assoc-...")`},
		{"DisassociateVpcCidrBlock AssociationId=vpc-cidr-assoc-00000000000000000", "InvalidVpcCidrBlockAssociationID.NotFound",
			"The vpc CIDR block association ID 'vpc-cidr-assoc-00000000000000000' does not exist"},
		{"DisassociateVpcCidrBlock AssociationId=vpc-cidr-assoc-#1", "OperationNotPermitted",
			"The vpc CIDR block with association ID vpc-cidr-assoc-#1 may not be disassociated. It is the primary IPv4 CIDR block of the VPC"},
		{"DisassociateVpcCidrBlock AssociationId=vpc-cidr-assoc-#2", "InvalidCidrBlock.InUse", "The vpc vpc-#1 currently has a subnet within CIDR block 100.64.0.0/16"},

		{"CreateDefaultVpc", "DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region."},
	})
}

func TestWrongSubnetRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.0/24 AvailabilityZone=us-east-1a")
	a.must(t, "CreateNatGateway SubnetId=subnet-#1 ConnectivityType=private")
	a.must(t, "DescribeSubnets Filter.1.Name=default-for-az Filter.1.Value.1=true Filter.2.Name=availability-zone Filter.2.Value.1=us-east-1a")
	const (
		value, combination, missing, subnetRange = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "InvalidSubnet.Range"
		create                                   = "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.2.0/24 "
		noSubnet                                 = "The request must contain the parameter subnetId"
		nothing                                  = "subnet-00000000000000000"
		nobody                                   = "The subnet ID 'subnet-00000000000000000' does not exist"
		zones                                    = " is invalid. Subnets can currently only be created in the following availability zones: "
	)
	a.refuses(t, []wrong{
		{"CreateSubnet VpcId=vpc-#1", missing, "The request must contain the parameter cidrBlock"},
		{"CreateSubnet CidrBlock=10.0.2.0/24", missing, "The request must contain the parameter vpcId"},
		{"CreateSubnet CidrBlock=10.0.2.0/24 VpcId=" + nothingVPC, "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=x", value, "Value (x) for parameter cidrBlock is invalid. This is not a valid CIDR block."},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.1.0.0/24", subnetRange, "The CIDR '10.1.0.0/24' is invalid."},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.0.0/15", subnetRange, "The CIDR '10.0.0.0/15' is invalid."},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.2.0/29", subnetRange, "The CIDR '10.0.2.0/29' is invalid."},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.0/24", "InvalidSubnet.Conflict", "The CIDR '10.0.1.0/24' conflicts with another subnet"},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.1.128/28", "InvalidSubnet.Conflict", "The CIDR '10.0.1.128/28' conflicts with another subnet"},
		{"CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.0.0/16", "InvalidSubnet.Conflict", "The CIDR '10.0.0.0/16' conflicts with another subnet"},
		{create + "AvailabilityZone=eu-west-1a", value, "Value (eu-west-1a) for parameter availabilityZone" + zones + "us-east-1a, us-east-1b, us-east-1c."},
		{create + "AvailabilityZoneId=use1-az9", value, "Value (use1-az9) for parameter availabilityZoneId" + zones + "use1-az1, use1-az2, use1-az3."},
		{create + "AvailabilityZone=us-east-1a AvailabilityZoneId=use1-az1", combination,
			"The parameter availabilityZone cannot be used with the parameter availabilityZoneId"},
		{create + "TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		refused(create+"Ipv4IpamPoolId=p", "Ipv4IpamPoolId"), refused(create+"Ipv4NetmaskLength=24", "Ipv4NetmaskLength"),
		refused(create+"Ipv6CidrBlock=2001:db8::/64", "Ipv6CidrBlock"), refused(create+"Ipv6IpamPoolId=p", "Ipv6IpamPoolId"),
		refused(create+"Ipv6Native=true", "Ipv6Native"), refused(create+"Ipv6NetmaskLength=64", "Ipv6NetmaskLength"), refused(create+"OutpostArn=o", "OutpostArn"),

		{"CreateDefaultSubnet", missing, "The request must contain the parameter availabilityZone"},
		{"CreateDefaultSubnet AvailabilityZone=x", value, "Value (x) for parameter availabilityZone" + zones + "us-east-1a, us-east-1b, us-east-1c."},
		{"CreateDefaultSubnet AvailabilityZone=us-east-1a", "DefaultSubnetAlreadyExistsInAvailabilityZone", "'subnet-#2' is already the default subnet in us-east-1a"},
		refused("CreateDefaultSubnet AvailabilityZone=us-east-1a Ipv6Native=true", "Ipv6Native"),

		{"DeleteSubnet", missing, noSubnet},
		{"DeleteSubnet SubnetId=sub", "InvalidSubnetID.Malformed", `Invalid id: "sub" (expecting "subnet-...")`},
		{"DeleteSubnet SubnetId=" + nothing, "InvalidSubnetID.NotFound", nobody},
		{"DeleteSubnet SubnetId=subnet-#1", "DependencyViolation", "The subnet 'subnet-#1' has dependencies and cannot be deleted."},

		{"DescribeSubnets SubnetId.1=" + nothing, "InvalidSubnetID.NotFound", nobody},
		{"DescribeSubnets Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},

		{"ModifySubnetAttribute SubnetId=subnet-#1", combination, "No attributes specified."},
		{"ModifySubnetAttribute SubnetId=subnet-#1 MapPublicIpOnLaunch.Value=true EnableResourceNameDnsARecordOnLaunch.Value=true", combination,
			"Fields for multiple attribute types specified"},
		{"ModifySubnetAttribute MapPublicIpOnLaunch.Value=true", missing, noSubnet},
		{"ModifySubnetAttribute MapPublicIpOnLaunch.Value=true SubnetId=" + nothing, "InvalidSubnetID.NotFound", nobody},
		{"ModifySubnetAttribute SubnetId=subnet-#1 PrivateDnsHostnameTypeOnLaunch=x", value,
			"Value (x) for parameter privateDnsHostnameTypeOnLaunch is invalid. Expecting ip-name or resource-name."},
		refused("ModifySubnetAttribute SubnetId=subnet-#1 AssignIpv6AddressOnCreation.Value=true", "AssignIpv6AddressOnCreation"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 CustomerOwnedIpv4Pool=p", "CustomerOwnedIpv4Pool"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 DisableLniAtDeviceIndex.Value=true", "DisableLniAtDeviceIndex"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 EnableDns64.Value=true", "EnableDns64"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 EnableLniAtDeviceIndex=1", "EnableLniAtDeviceIndex"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 EnableResourceNameDnsAAAARecordOnLaunch.Value=true", "EnableResourceNameDnsAAAARecordOnLaunch"),
		refused("ModifySubnetAttribute SubnetId=subnet-#1 MapCustomerOwnedIpOnLaunch.Value=true", "MapCustomerOwnedIpOnLaunch"),
	})
}
