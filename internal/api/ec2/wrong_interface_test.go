package ec2

import (
	"strings"
	"testing"
)

func TestWrongInterfaceRequests(t *testing.T) {
	a := newAccount(t)
	a.groups(t) // sg-#1 and sg-#2 in the default VPC, sg-#3 in vpc-#2
	a.must(t, "CreateSubnet VpcId=vpc-#2 CidrBlock=10.0.0.0/28")
	a.must(t, "CreateNetworkInterface SubnetId=subnet-#1 PrivateIpAddress=10.0.0.4")
	a.named(strings.Replace(a.known(t, "eni-#1"), "eni-", "eni-attach-", 1)) // eni-attach-#1, which is none
	for _, name := range []string{"d", "e", "f", "g", "h"} {                 // sg-#5 to sg-#9
		a.must(t, "CreateSecurityGroup VpcId=vpc-#2 GroupDescription=d GroupName="+name)
	}
	const (
		value, missing, combination = "InvalidParameterValue", "MissingParameter", "InvalidParameterCombination"
		create, modify              = "CreateNetworkInterface SubnetId=subnet-#1 ", "ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-#1 "
		none                        = "The networkInterface ID 'eni-00000000000000000' does not exist"
		nobody, malformed           = "NetworkInterfaceId=eni-00000000000000000 ", "NetworkInterfaceId=x "
		noInterface, badInterface   = "InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterfaceID.Malformed"
		bad                         = `Invalid id: "x" (expecting "eni-...")`
		needs                       = "The request must contain the parameter "
		six                         = "SecurityGroupId.1=sg-#3 SecurityGroupId.2=sg-#5 SecurityGroupId.3=sg-#6 SecurityGroupId.4=sg-#7 SecurityGroupId.5=sg-#8 SecurityGroupId.6=sg-#9"
		tooMany                     = "The maximum number of security groups per interface has been reached."
		address                     = "PrivateIpAddresses.1.PrivateIpAddress="
	)
	a.refuses(t, []wrong{
		{"CreateNetworkInterface", missing, needs + "subnetId"},
		{"CreateNetworkInterface SubnetId=subnet-00000000000000000", "InvalidSubnetID.NotFound", "The subnet ID 'subnet-00000000000000000' does not exist"},
		{create + "SecurityGroupId.1=sg-00000000000000000", "InvalidGroup.NotFound", "The security group 'sg-00000000000000000' does not exist"},
		{create + "SecurityGroupId.1=x", "InvalidGroupId.Malformed", `Invalid id: "x" (expecting "sg-...")`},
		{create + "SecurityGroupId.1=sg-#1", "InvalidGroup.NotFound", differentNets},
		{create + six, "SecurityGroupsPerInterfaceLimitExceeded", tooMany},
		{create + "PrivateIpAddress=10.0.0.4", "InvalidIPAddress.InUse", "Address 10.0.0.4 is in use."},
		{create + "PrivateIpAddress=10.0.1.4", value, "Address 10.0.1.4 does not fall within the subnet's address range"},
		{create + "PrivateIpAddress=x", value, "invalid value for parameter address: x"},
		{create + "PrivateIpAddress=10.0.0.5 " + address + "10.0.0.6", combination, "The parameter privateIpAddress cannot be used with the parameter privateIpAddresses"},
		{create + "PrivateIpAddresses.1.Primary=true", missing, needs + "PrivateIpAddresses.1.PrivateIpAddress"},
		refused(create+address+"10.0.0.5 PrivateIpAddresses.1.Primary=false", "PrivateIpAddresses.1.PrivateIpAddress as a secondary address"),
		refused(create+address+"10.0.0.5 PrivateIpAddresses.2.PrivateIpAddress=10.0.0.6", "PrivateIpAddresses.2.PrivateIpAddress as a secondary address"),
		refused(create+"SecondaryPrivateIpAddressCount=1", "SecondaryPrivateIpAddressCount"), refused(create+"Ipv6AddressCount=1", "Ipv6AddressCount"),
		refused(create+"Ipv6Addresses.1.Ipv6Address=::1", "Ipv6Addresses"), refused(create+"Ipv4PrefixCount=1", "Ipv4PrefixCount"),
		refused(create+"Ipv4Prefix.1.Ipv4Prefix=10.0.0.0/28", "Ipv4Prefix"), refused(create+"Ipv6PrefixCount=1", "Ipv6PrefixCount"),
		refused(create+"Ipv6Prefix.1.Ipv6Prefix=::/80", "Ipv6Prefix"), refused(create+"EnablePrimaryIpv6=true", "EnablePrimaryIpv6"),
		refused(create+"InterfaceType=efa", "InterfaceType"), refused(create+"Operator.Principal=x", "Operator"),
		refused(create+"ConnectionTrackingSpecification.UdpTimeout=60", "ConnectionTrackingSpecification"),
		{create + "Description=" + strings.Repeat("x", 256), value,
			"Value (" + strings.Repeat("x", 64) + ") for parameter description is invalid. It can be at most 255 characters long."},
		{create + "ClientToken=" + strings.Repeat("x", 65), value, "Invalid client token: it can have up to 64 ASCII characters."},
		{create + "TagSpecification.1.ResourceType=vpc", value, "'vpc' is not a valid taggable resource type for this operation."},
		{"DeleteNetworkInterface", missing, needs + "networkInterfaceId"}, {"DeleteNetworkInterface " + nobody, noInterface, none},
		{"DeleteNetworkInterface " + malformed, badInterface, bad},
		{"DescribeNetworkInterfaces NetworkInterfaceId.1=eni-#1 NetworkInterfaceId.2=eni-00000000000000000", noInterface, none},
		{"DescribeNetworkInterfaces NetworkInterfaceId.1=x", badInterface, bad}, {"DescribeNetworkInterfaces Filter.1.Name=x", value, "The filter 'x' is invalid"},
		{"DescribeNetworkInterfaces NetworkInterfaceId.1=eni-#1 MaxResults=5", combination, "The parameter MaxResults cannot be used with the parameter that names resources"},
		{"DescribeNetworkInterfaceAttribute Attribute=description", missing, needs + "networkInterfaceId"},
		{"DescribeNetworkInterfaceAttribute NetworkInterfaceId=eni-#1", missing, needs + "attribute"},
		{"DescribeNetworkInterfaceAttribute NetworkInterfaceId=eni-#1 Attribute=x", value, "Value (x) for parameter attribute is invalid. Unknown attribute."},
		{"DescribeNetworkInterfaceAttribute Attribute=description " + nobody, noInterface, none},
		{modify, combination, "No attributes specified."}, {"ModifyNetworkInterfaceAttribute Description.Value=x", missing, needs + "networkInterfaceId"},
		{"ModifyNetworkInterfaceAttribute Description.Value=x " + nobody, noInterface, none},
		{modify + "Description.Value=x SourceDestCheck.Value=true", combination, "Fields for multiple attribute types specified"},
		{modify + "Description.Value=" + strings.Repeat("x", 256), value,
			"Value (" + strings.Repeat("x", 64) + ") for parameter description is invalid. It can be at most 255 characters long."},
		{modify + "SecurityGroupId.1=sg-#1", "InvalidGroup.NotFound", differentNets}, {modify + six, "SecurityGroupsPerInterfaceLimitExceeded", tooMany},
		{modify + "Attachment.DeleteOnTermination=true", missing, needs + "attachmentId"},
		{modify + "Attachment.AttachmentId=eni-attach-1", "InvalidAttachmentID.NotFound", "The attachment ID 'eni-attach-1' does not exist"},
		refused(modify+"AssociatePublicIpAddress=true", "AssociatePublicIpAddress"), refused(modify+"AssociatedSubnetId.1=subnet-#1", "AssociatedSubnetId"),
		refused(modify+"ConnectionTrackingSpecification.UdpTimeout=60", "ConnectionTrackingSpecification"), refused(modify+"EnablePrimaryIpv6=true", "EnablePrimaryIpv6"),
		refused(modify+"EnaSrdSpecification.EnaSrdEnabled=true", "EnaSrdSpecification"),
		{"AttachNetworkInterface InstanceId=i-00000000000000000 DeviceIndex=1", missing, needs + "networkInterfaceId"},
		{"AttachNetworkInterface NetworkInterfaceId=eni-#1 DeviceIndex=1", missing, needs + "instanceId"},
		{"AttachNetworkInterface NetworkInterfaceId=eni-#1 InstanceId=i-00000000000000000", missing, needs + "deviceIndex"},
		{"AttachNetworkInterface NetworkInterfaceId=eni-#1 InstanceId=i-00000000000000000 DeviceIndex=1", "InvalidInstanceID.NotFound",
			"The instance ID 'i-00000000000000000' does not exist"},
		{"AttachNetworkInterface NetworkInterfaceId=eni-#1 InstanceId=x DeviceIndex=1", "InvalidInstanceID.Malformed", `Invalid id: "x" (expecting "i-...")`},
		{"AttachNetworkInterface InstanceId=i-00000000000000000 DeviceIndex=1 " + nobody, noInterface, none},
		{"DetachNetworkInterface", missing, needs + "attachmentId"},
		{"DetachNetworkInterface AttachmentId=x", "InvalidNetworkInterfaceAttachmentId.Malformed", `Invalid id: "x" (expecting "eni-attach-...")`},
		{"DetachNetworkInterface AttachmentId=eni-attach-#1", "InvalidAttachmentID.NotFound", "The attachment ID 'eni-attach-#1' does not exist"},
		{"DetachNetworkInterface AttachmentId=eni-attach-00000000000000000", "InvalidAttachmentID.NotFound", "The attachment ID 'eni-attach-00000000000000000' does not exist"},
	})
}

// A full subnet has no address for another interface, and has one again when one goes.
func TestInterfacesOfAFullSubnet(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16")
	a.must(t, "CreateSubnet VpcId=vpc-#1 CidrBlock=10.0.0.0/28")
	for range 11 {
		a.must(t, "CreateNetworkInterface SubnetId=subnet-#1")
	}
	a.refuses(t, []wrong{{"CreateNetworkInterface SubnetId=subnet-#1", "InsufficientFreeAddressesInSubnet",
		"The specified subnet does not have enough free addresses to satisfy the request."}})
	a.must(t, "DeleteNetworkInterface NetworkInterfaceId=eni-#7")
	a.must(t, "CreateNetworkInterface SubnetId=subnet-#1")
}
