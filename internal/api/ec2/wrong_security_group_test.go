package ec2

import (
	"strings"
	"testing"
)

const (
	badDescription = "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
	differentNets  = "You have specified two resources that belong to different networks."
)

// groups makes sg-#1 and sg-#2 in the default VPC, and sg-#3 in vpc-#2. sg-#1 has the rules sgr-#1 (TCP 80), sgr-#2 (of sg-#2), sgr-#3 (IPv6) in, sgr-#4 out.
func (a *account) groups(t *testing.T) {
	t.Helper()
	for _, line := range []string{
		"DescribeVpcs", "CreateVpc CidrBlock=10.0.0.0/16", "CreateSecurityGroup GroupName=a GroupDescription=a", "CreateSecurityGroup GroupName=b GroupDescription=b",
		"CreateSecurityGroup GroupName=c GroupDescription=c VpcId=vpc-#2",
		"AuthorizeSecurityGroupIngress GroupId=sg-#1 IpProtocol=tcp FromPort=80 ToPort=80 CidrIp=10.0.0.0/8",
		"AuthorizeSecurityGroupIngress GroupId=sg-#1 IpPermissions.1.IpProtocol=-1 IpPermissions.1.Groups.1.GroupId=sg-#2",
		"AuthorizeSecurityGroupIngress GroupId=sg-#1 IpPermissions.1.IpProtocol=-1 IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0",
		"AuthorizeSecurityGroupEgress GroupId=sg-#1 IpPermissions.1.IpProtocol=-1 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8",
	} {
		a.must(t, line)
	}
}

func TestWrongGroupRequests(t *testing.T) {
	a := newAccount(t)
	a.groups(t)
	const (
		value, missing = "InvalidParameterValue", "MissingParameter"
		create         = "CreateSecurityGroup GroupDescription=d "
		none           = "The security group 'sg-00000000000000000' does not exist"
		needs          = "The request must contain the parameter "
	)
	a.refuses(t, []wrong{
		{"CreateSecurityGroup GroupDescription=d", missing, needs + "GroupName"}, {"CreateSecurityGroup GroupName=x", missing, needs + "GroupDescription"},
		{create + `GroupName="   "`, missing, needs + "GroupName"}, {create + "GroupName=default", value, "Cannot use reserved security group name: default"},
		{create + "GroupName=sg-web", value, "Value (sg-web) for parameter GroupName is invalid. Group names may not be in the format sg-*."},
		{create + "GroupName=wéb", value, "Value (wéb) for parameter GroupName is invalid. Character sets beyond ASCII are not supported."},
		{create + "GroupName=" + strings.Repeat("x", 256), value,
			"Invalid security group name. Valid names are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"},
		{"CreateSecurityGroup GroupName=x GroupDescription=it's", value,
			"Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"},
		{create + "GroupName=a", "InvalidGroup.Duplicate", "The security group 'a' already exists for VPC 'vpc-#1'"},
		{create + "GroupName=A", "InvalidGroup.Duplicate", "The security group 'A' already exists for VPC 'vpc-#1'"},
		{create + "GroupName=Default", value, "Cannot use reserved security group name: Default"},
		{create + `GroupName="a "`, "InvalidGroup.Duplicate", "The security group 'a' already exists for VPC 'vpc-#1'"},
		{create + "GroupName=x VpcId=vpc-00000000000000000", "InvalidVpcID.NotFound", "The vpc ID 'vpc-00000000000000000' does not exist"},
		{create + "GroupName=x VpcId=x", "InvalidVpcID.Malformed", `Invalid id: "x" (expecting "vpc-...")`},
		{create + "GroupName=x TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		{"DeleteSecurityGroup", missing, needs + "GroupName or GroupId"},
		{"DeleteSecurityGroup GroupId=sg-#1 GroupName=a", "InvalidParameterCombination", "The parameter GroupName cannot be used with the parameter GroupId"},
		{"DeleteSecurityGroup GroupId=x", "InvalidGroupId.Malformed", `Invalid id: "x" (expecting "sg-...")`},
		{"DeleteSecurityGroup GroupId=sg-00000000000000000", "InvalidGroup.NotFound", none},
		{"DeleteSecurityGroup GroupName=c", "InvalidGroup.NotFound", "The security group 'c' does not exist in default VPC 'vpc-#1'"},
		{"DeleteSecurityGroup GroupId=sg-#2", "DependencyViolation", "resource sg-#2 has a dependent object"},
		{"DescribeSecurityGroups GroupId.1=sg-#1 GroupId.2=sg-00000000000000000", "InvalidGroup.NotFound", none},
		{"DescribeSecurityGroups GroupName.1=x", "InvalidGroup.NotFound", "The security group 'x' does not exist in default VPC 'vpc-#1'"},
		{"DescribeSecurityGroups Filter.1.Name=x", value, "The filter 'x' is invalid"},
		{"DescribeSecurityGroupRules SecurityGroupRuleId.1=sgr-00000000000000000", "InvalidSecurityGroupRuleId.NotFound",
			"The security group rule ID 'sgr-00000000000000000' does not exist"},
		{"DescribeSecurityGroupRules SecurityGroupRuleId.1=sg-#1", "InvalidSecurityGroupRuleId.Malformed", `Invalid id: "sg-#1" (expecting "sgr-...")`},
		{"DescribeSecurityGroupRules Filter.1.Name=vpc-id Filter.1.Value.1=x", value, "The filter 'vpc-id' is invalid"},
		{"DescribeSecurityGroupReferences", missing, needs + "GroupId"},
		{"DescribeSecurityGroupReferences GroupId.1=sg-00000000000000000", "InvalidGroup.NotFound", none},
		{"DescribeStaleSecurityGroups", missing, needs + "vpcId"},
		{"DescribeStaleSecurityGroups VpcId=vpc-#1 MaxResults=1", value, "Value ( 1 ) for parameter maxResults is invalid. Expecting a value greater than 5."},
	})
}

func TestWrongRules(t *testing.T) {
	a := newAccount(t)
	a.groups(t)
	const (
		value, missing, combination = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
		in, out                     = "AuthorizeSecurityGroupIngress GroupId=sg-#1 ", "AuthorizeSecurityGroupEgress GroupId=sg-#1 "
		perm                        = in + "IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=80 IpPermissions.1.ToPort=80 "
		all                         = in + "IpPermissions.1.IpProtocol=-1 "
		cidr                        = " IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8"
		noSource                    = "Missing source specification: include source security group or CIDR information"
		noGroup                     = "The security group 'sg-00000000000000000' does not exist"
	)
	a.refuses(t, []wrong{
		{"AuthorizeSecurityGroupIngress IpProtocol=tcp", missing, "The request must contain the parameter GroupName or GroupId"},
		{"AuthorizeSecurityGroupEgress IpPermissions.1.IpProtocol=-1", missing, "The request must contain the parameter GroupName or GroupId"},
		{in, missing, "The request must contain the parameter ipPermissions"}, {out, missing, "The request must contain the parameter ipPermissions"},
		{"AuthorizeSecurityGroupIngress GroupId=sg-00000000000000000 IpProtocol=-1", "InvalidGroup.NotFound", noGroup},
		{perm + "IpProtocol=tcp" + cidr, combination, "The parameter ipPermissions cannot be used with the parameter IpProtocol"},
		{in + "SourceSecurityGroupName=b IpProtocol=tcp", combination, "The parameter SourceSecurityGroupName cannot be used with the parameter IpProtocol"},
		{in + "SourceSecurityGroupName=b CidrIp=10.0.0.0/8", combination, "The parameter SourceSecurityGroupName cannot be used with the parameter CidrIp"},
		{in + "SourceSecurityGroupName=x", "InvalidGroup.NotFound", "The security group 'x' does not exist in default VPC 'vpc-#1'"},
		{out + "IpProtocol=tcp", "UnknownParameter", "The parameter IpProtocol is not recognized; use IpPermissions"},
		{out + "SourceSecurityGroupOwnerId=1", "UnknownParameter", "The parameter SourceSecurityGroupOwnerId is not recognized; use IpPermissions"},
		{in + "IpProtocol=-1", missing, noSource}, {perm, missing, noSource},
		{in + "CidrIp=10.0.0.0/8", value, "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."},
		{in + "IpPermissions.1.FromPort=1" + cidr, value, "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."},
		{in + "IpProtocol=all CidrIp=10.0.0.0/8", value, "Invalid value 'all' for IP protocol. Unknown protocol."},
		{in + "IpPermissions.1.IpProtocol=256" + cidr, value, "Invalid value '256' for IP protocol. Unknown protocol."},
		{in + "IpPermissions.1.IpProtocol=tcp" + cidr, value, "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."},
		{in + "IpPermissions.1.IpProtocol=icmp" + cidr, value, "Invalid value for portRange. Must specify both from and to ports with ICMP."},
		{in + "IpProtocol=tcp FromPort=-1 ToPort=-1 CidrIp=10.0.0.0/8", value, "TCP/UDP (from) port (-1) out of range"},
		{in + "IpProtocol=udp FromPort=1 ToPort=65536 CidrIp=10.0.0.0/8", value, "TCP/UDP (to) port (65536) out of range"},
		{in + "IpProtocol=tcp FromPort=80 ToPort=22 CidrIp=10.0.0.0/8", value, "Invalid TCP/UDP port range (80:22)"},
		{in + "IpProtocol=icmp FromPort=0 ToPort=65535 CidrIp=10.0.0.0/8", value, "ICMP code (65535) out of range"},
		{in + "IpProtocol=-1 CidrIp=10.0.0.0/33", value, "CIDR block 10.0.0.0/33 is malformed"}, {in + "IpProtocol=-1 CidrIp=::/0", value, "CIDR block ::/0 is malformed"},
		{all + "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=10.0.0.0/8", value, "CIDR block 10.0.0.0/8 is malformed"},
		{all + "IpPermissions.1.IpRanges.1.Description=x", missing, "The request must contain the parameter cidrIp"},
		{all + "IpPermissions.1.Ipv6Ranges.1.Description=x", missing, "The request must contain the parameter cidrIpv6"},
		{all + "IpPermissions.1.IpRanges.1.CidrIp=10.9.0.0/16 IpPermissions.1.IpRanges.1.Description=it's", value, badDescription},
		{all + "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=1::/16 IpPermissions.1.Ipv6Ranges.1.Description=" + strings.Repeat("x", 256), value, badDescription},
		{all + "IpPermissions.1.Groups.1.GroupId=sg-#1 IpPermissions.1.Groups.1.Description=?", value, badDescription},
		{all + "IpPermissions.1.Groups.1.Description=x", missing, "The request must contain the parameter groupId"},
		{all + "IpPermissions.1.Groups.1.GroupId=sg-00000000000000000", "InvalidGroup.NotFound", noGroup},
		{all + "IpPermissions.1.Groups.1.GroupId=x", "InvalidGroupId.Malformed", `Invalid id: "x" (expecting "sg-...")`},
		{all + "IpPermissions.1.Groups.1.GroupId=sg-#3", "InvalidGroup.NotFound", differentNets},
		{"AuthorizeSecurityGroupIngress GroupId=sg-#3 SourceSecurityGroupName=a", "InvalidGroup.NotFound", differentNets},
		{all + "IpPermissions.1.Groups.1.GroupId=sg-#1 IpPermissions.1.Groups.1.UserId=210987654321", "InvalidGroup.NotFound", "The security group 'sg-#1' does not exist"},
		refused(all+"IpPermissions.1.Groups.1.GroupId=sg-#1 IpPermissions.1.Groups.1.VpcPeeringConnectionId=pcx-1", "VpcPeeringConnectionId"),
		refused(all+"IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1", "IpPermissions.1.PrefixListIds"),
		{perm + cidr, "InvalidPermission.Duplicate", `the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists`},
		{perm + "IpPermissions.1.IpRanges.1.CidrIp=10.9.9.9/8", "InvalidPermission.Duplicate",
			`the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists`},
		{all + "IpPermissions.1.FromPort=1 IpPermissions.1.ToPort=2 IpPermissions.1.Groups.1.GroupName=b", "InvalidPermission.Duplicate",
			`the specified rule "peer: sg-#2, ALL, ALLOW" already exists`},
		{out + "IpPermissions.1.IpProtocol=-1 IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0", "InvalidPermission.Duplicate",
			`the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists`},
		{all + "IpPermissions.1.IpRanges.1.CidrIp=10.9.0.0/16 IpPermissions.1.IpRanges.2.CidrIp=10.9.1.0/16", value, "The same permission must not appear multiple times"},
		{all + "IpPermissions.1.IpRanges.1.CidrIp=10.9.0.0/16 TagSpecification.1.ResourceType=security-group", value,
			"'security-group' is not a valid taggable resource type for this operation."},
	})
}

func TestWrongChangesOfRules(t *testing.T) {
	a := newAccount(t)
	a.groups(t)
	a.must(t, "DescribeSecurityGroups GroupId.1=sg-#3")
	const (
		value, missing, combination = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
		revoke                      = "RevokeSecurityGroupIngress GroupId=sg-#1 "
		rule                        = "IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=81 IpPermissions.1.ToPort=81 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8 "
		modify, to                  = "ModifySecurityGroupRules GroupId=sg-#1 SecurityGroupRule.1.SecurityGroupRuleId=sgr-#", " SecurityGroupRule.1.SecurityGroupRule."
		says                        = "UpdateSecurityGroupRuleDescriptionsIngress GroupId=sg-#1 "
		notThere                    = "The specified rule does not exist in this security group."
		noRule                      = "The security group rule ID 'sgr-00000000000000000' does not exist"
		type1                       = "Invalid rule type for security group rule 'sgr-#"
	)
	a.refuses(t, []wrong{
		{revoke, missing, "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided."},
		{revoke + "SecurityGroupRuleId.1=sgr-#1 " + rule, combination, "The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions"},
		{revoke + "SecurityGroupRuleId.1=sgr-#1 SecurityGroupRuleId.2=sgr-00000000000000000", "InvalidSecurityGroupRuleId.NotFound", noRule},
		{revoke + "SecurityGroupRuleId.1=sgr-#4", "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID 'sgr-#4' does not exist"}, // egress
		{revoke + "SecurityGroupRuleId.1=x", "InvalidSecurityGroupRuleId.Malformed", `Invalid id: "x" (expecting "sgr-...")`},
		{"RevokeSecurityGroupIngress GroupId=sg-#2 SecurityGroupRuleId.1=sgr-#1", "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID 'sgr-#1' does not exist"},
		{"RevokeSecurityGroupIngress SecurityGroupRuleId.1=sgr-#1", missing, "The request must contain the parameter GroupName or GroupId"},
		{revoke + "IpProtocol=tcp CidrIp=10.0.0.0/8", value, "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."},
		{"RevokeSecurityGroupIngress GroupId=sg-#3 " + rule, "InvalidPermission.NotFound", notThere},
		{"RevokeSecurityGroupEgress GroupId=sg-#1 IpProtocol=tcp", "UnknownParameter", "The parameter IpProtocol is not recognized; use IpPermissions"},
		{"ModifySecurityGroupRules SecurityGroupRule.1.SecurityGroupRuleId=sgr-#1", missing, "The request must contain the parameter GroupId"},
		{"ModifySecurityGroupRules GroupId=sg-#1", missing, "The request must contain the parameter SecurityGroupRule"},
		{"ModifySecurityGroupRules GroupId=sg-#1 SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp", missing,
			"The request must contain the parameter SecurityGroupRule.1.SecurityGroupRuleId"},
		{modify + "1", missing, "The request must contain the parameter SecurityGroupRule.1.SecurityGroupRule"},
		{modify + "1" + to + "IpProtocol=tcp", missing, "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId"},
		{modify + "1" + to + "CidrIpv4=10.0.0.0/8" + to + "CidrIpv6=::/0", combination, "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified"},
		{modify + "1" + to + "CidrIpv4=10.0.0.0/8", value, "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."},
		{modify + "1" + to + "CidrIpv4=10.0.0.0/8" + to + "IpProtocol=tcp", value, "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."},
		{modify + "1" + to + "CidrIpv4=10.0.0.0" + to + "IpProtocol=-1", value, "CIDR block 10.0.0.0 is malformed"},
		{modify + "1" + to + "CidrIpv4=10.0.0.0/8" + to + "IpProtocol=-1" + to + "Description=?", value, badDescription},
		{modify + "1" + to + "CidrIpv6=::/0" + to + "IpProtocol=-1", value, type1 + "1'. You may not specify CidrIpv6 for an existing IPv4 CIDR rule."},
		{modify + "2" + to + "CidrIpv4=10.0.0.0/8" + to + "IpProtocol=-1", value, type1 + "2'. You may not specify CidrIpv4 for an existing security group rule."},
		{modify + "3" + to + "ReferencedGroupId=sg-#1" + to + "IpProtocol=-1", value, type1 + "3'. You may not specify ReferencedGroupId for an existing IPv6 CIDR rule."},
		{modify + "2" + to + "ReferencedGroupId=sg-#3" + to + "IpProtocol=-1", "InvalidGroup.NotFound", differentNets},
		refused(modify+"1"+to+"PrefixListId=pl-1", "PrefixListId"),
		{"ModifySecurityGroupRules GroupId=sg-#2 SecurityGroupRule.1.SecurityGroupRuleId=sgr-#1" + to + "IpProtocol=-1", "InvalidSecurityGroupRuleId.NotFound",
			"The security group rule ID 'sgr-#1' does not exist"},
		{modify + "4" + to + "CidrIpv4=0.0.0.0/0" + to + "IpProtocol=-1", "InvalidPermission.Duplicate", `the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists`},
		{says, missing, "Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided."},
		{says + rule + "SecurityGroupRuleDescription.1.Description=x", combination, "The parameter securityGroupRuleDescriptions cannot be used with the parameter ipPermissions"},
		{says + rule, "InvalidPermission.NotFound", notThere},
		{says + "SecurityGroupRuleDescription.1.Description=x", missing, "The request must contain the parameter SecurityGroupRuleDescription.1.SecurityGroupRuleId"},
		{says + "SecurityGroupRuleDescription.1.SecurityGroupRuleId=sgr-#1 SecurityGroupRuleDescription.1.Description=?", value, badDescription},
		{says + "SecurityGroupRuleDescription.1.SecurityGroupRuleId=sgr-#4 SecurityGroupRuleDescription.1.Description=x", "InvalidSecurityGroupRuleId.NotFound",
			"The security group rule ID 'sgr-#4' does not exist"},
		{"UpdateSecurityGroupRuleDescriptionsEgress SecurityGroupRuleDescription.1.SecurityGroupRuleId=sgr-#4", missing,
			"The request must contain the parameter GroupName or GroupId"},
	})
}
