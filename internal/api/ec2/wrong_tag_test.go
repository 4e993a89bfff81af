package ec2

import (
	"fmt"
	"strings"
	"testing"
)

func TestWrongTagRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeVpcs")
	a.must(t, "DescribeNetworkAcls")
	many := func(n int, parameter, value string) (out string) {
		for i := range n {
			out += fmt.Sprintf(" "+parameter+"="+value, i+1)
		}
		return out
	}
	const value, missing = "InvalidParameterValue", "MissingParameter"
	tests := []wrong{
		{"CreateTags ResourceId.1=vpc-#1", missing, "The request must contain the parameter tagSet"},
		{"CreateTags ResourceId.1=vpc-#1 Tag.1.Value=v", value, "Tag key must be between 1 and 128 characters: ''"},
		{"CreateTags ResourceId.1=vpc-#1 Tag.1.Key=aws:k", value, "Tag keys starting with 'aws:' are reserved for internal use"},
		{"CreateTags ResourceId.1=vpc-#1 Tag.1.Key=k Tag.1.Value=" + strings.Repeat("v", 257), value, "Tag value exceeds the maximum length of 256 characters"},
		{"CreateTags ResourceId.1=vpc-#1 Tag.1.Key=k Tag.2.Key=k", value, "Duplicate tag key 'k' specified."},
		{"CreateTags ResourceId.1=vpc-#1" + many(51, "Tag.%[1]d.Key", "k%[1]d"), "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."},
		{"CreateTags ResourceId.1=vpc-#1" + many(51, "Tag.%[1]d.Key", "k"), "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."},
		{"DeleteTags ResourceId.1=vpc-#1 Tag.1.Value=v", missing, "The request must contain the parameter tagSet.key"},
		{"DescribeTags Filter.1.Name=key Filter.1.Value.1=y Filter.2.Value.1=y", missing, "The request must contain the parameter Filter.2.Name"},
		{"DescribeTags Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
		{"DescribeTags MaxResults=4", value, "Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5."},
	}
	for _, operation := range []string{"CreateTags", "DeleteTags"} {
		tag := " Tag.1.Key=k"
		tests = append(tests, []wrong{
			{operation + tag, missing, "The request must contain the parameter resourceIdSet"},
			{operation + tag + many(1001, "ResourceId.%[1]d", "vpc-#1"), value, "A request can name at most 1000 resources."},
			{operation + tag + " ResourceId.1=x", "InvalidID", "The ID 'x' is not valid"},
			{operation + tag + " ResourceId.1=i-1123456789abcdef0", "InvalidID", "The ID 'i-1123456789abcdef0' is not valid"},
			{operation + tag + " ResourceId.1=vpc-1", "InvalidVpcID.Malformed", `Invalid id: "vpc-1" (expecting "vpc-...")`},
			{operation + tag + " ResourceId.1=vpc-#1 ResourceId.2=" + nothingVPC, "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
			{operation + tag + " ResourceId.1=sg-00000000000000000", "InvalidGroup.NotFound", "The security group 'sg-00000000000000000' does not exist"},
			{operation + tag + " ResourceId.1=sgr-00000000000000000", "InvalidSecurityGroupRuleId.NotFound",
				"The security group rule ID 'sgr-00000000000000000' does not exist"},
			{operation + tag + " ResourceId.1=eni-00000000000000000", "InvalidNetworkInterfaceID.NotFound",
				"The networkInterface ID 'eni-00000000000000000' does not exist"},
			refused(operation+tag+" ResourceId.1=acl-#1", "tags of the network ACL acl-#1"),
		}...)
	}
	a.refuses(t, tests)
}

func TestWrongDHCPOptionsAndAccountRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeVpcs")
	const (
		value, missing = "InvalidParameterValue", "MissingParameter"
		with           = "CreateDhcpOptions DhcpConfiguration.1.Key="
		nothing        = "dopt-00000000000000000"
		nobody         = "The dhcpOption ID 'dopt-00000000000000000' does not exist"
		noID           = "The request must contain the parameter dhcpOptionsId"
	)
	a.refuses(t, []wrong{
		{"CreateDhcpOptions", missing, "The request must contain the parameter dhcpConfiguration"},
		{"CreateDhcpOptions DhcpConfiguration.1.Value.1=x", missing, "The request must contain the parameter dhcpConfiguration.key"},
		{with + "colour DhcpConfiguration.1.Value.1=red", value, "Value (colour) for parameter name is invalid. Unknown DHCP option"},
		{with + "domain-name", value, "The DHCP option domain-name must have from 1 to 1 values."},
		{with + "domain-name DhcpConfiguration.1.Value.1=a DhcpConfiguration.1.Value.2=b", value, "The DHCP option domain-name must have from 1 to 1 values."},
		{with + "domain-name-servers DhcpConfiguration.1.Value.1=x", value,
			"Value (x) for parameter value is invalid. Invalid DHCP option value for domain-name-servers."},
		{with + "ntp-servers DhcpConfiguration.1.Value.1=AmazonProvidedDNS", value,
			"Value (AmazonProvidedDNS) for parameter value is invalid. Invalid DHCP option value for ntp-servers."},
		{with + "netbios-node-type DhcpConfiguration.1.Value.1=3", value,
			"Value (3) for parameter value is invalid. Invalid DHCP option value for netbios-node-type."},
		{with + "domain-name DhcpConfiguration.1.Value.1=a DhcpConfiguration.2.Key=domain-name DhcpConfiguration.2.Value.1=b", value,
			"Duplicate DHCP option 'domain-name' specified."},
		{with + "domain-name DhcpConfiguration.1.Value.1=a TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		refused(with+"ipv6-address-preferred-lease-time DhcpConfiguration.1.Value.1=140", "ipv6-address-preferred-lease-time"),
		{"DeleteDhcpOptions", missing, noID},
		{"DeleteDhcpOptions DhcpOptionsId=x", "InvalidDhcpOptionsId.Malformed", `Invalid id: "x" (expecting "dopt-...")`},
		{"DeleteDhcpOptions DhcpOptionsId=" + nothing, "InvalidDhcpOptionID.NotFound", nobody},
		{"DeleteDhcpOptions DhcpOptionsId=dopt-#1", "DependencyViolation", "The dhcpOptions 'dopt-#1' has dependencies and cannot be deleted."},
		{"DescribeDhcpOptions DhcpOptionsId.1=" + nothing, "InvalidDhcpOptionID.NotFound", nobody},
		{"DescribeDhcpOptions Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
		{"AssociateDhcpOptions VpcId=vpc-#1", missing, noID},
		{"AssociateDhcpOptions DhcpOptionsId=dopt-#1", missing, "The request must contain the parameter vpcId"},
		{"AssociateDhcpOptions DhcpOptionsId=dopt-#1 VpcId=" + nothingVPC, "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
		{"AssociateDhcpOptions VpcId=vpc-#1 DhcpOptionsId=" + nothing, "InvalidDhcpOptionID.NotFound", nobody},

		{"DescribeNetworkAcls NetworkAclId.1=x", "InvalidNetworkAclID.Malformed", `Invalid id: "x" (expecting "acl-...")`},
		{"DescribeNetworkAcls Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
		{"DescribeRegions RegionName.1=mars", value, "Invalid region: [mars]"},
		{"DescribeRegions Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
		{"DescribeAccountAttributes AttributeName.1=x", value, "Value (x) for parameter attributeName is invalid. Unknown attribute."},
		{"DescribeAvailabilityZones ZoneName.1=x", value, "Invalid availability zone: [x]"},
		{"DescribeAvailabilityZones ZoneId.1=x", value, "Invalid availability zone: [x]"},
		{"DescribeAvailabilityZones Filter.1.Name=x Filter.1.Value.1=y", value, "The filter 'x' is invalid"},
	})
}
