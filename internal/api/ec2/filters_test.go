package ec2

import (
	"fmt"
	"strings"
	"testing"
)

// Wildcards stand for any characters, also for a slash; what a backslash precedes stands for itself.
func TestLike(t *testing.T) {
	for _, test := range []struct {
		pattern, value string
		want           bool
	}{
		{"a*", "a/b", true}, {"a?b", "a/b", true}, {"a?b", "ab", false}, {"*", "", true}, {"a", "A", false}, {`a\*`, "a*", true}, {`a\*`, "ab", false},
		{"[ab]*", "[ab]c", true}, {"[ab]*", "ac", false}, {`\[ab]*`, "[ab]c", true}, {`\[ab]*`, `\ac`, false}, {`a\\*`, `a\b`, true}, {`a\`, `a\`, false},
	} {
		if like(test.pattern, test.value) != test.want {
			t.Errorf("%s takes %s: %v", test.pattern, test.value, !test.want)
		}
	}
}

// Every filter takes what it asks for and nothing else. Filters of what no resource here has take nothing.
func TestFilters(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeVpcs Filter.1.Name=is-default Filter.1.Value.1=true") // vpc-#1, vpc-cidr-assoc-#1, dopt-#1
	a.must(t, "DescribeSubnets Filter.1.Name=availability-zone Filter.1.Value.1=us-east-1a")
	a.must(t, "DescribeRouteTables")
	a.must(t, "DescribeInternetGateways")
	a.must(t, "CreateVpc CidrBlock=10.0.0.0/16 TagSpecification.1.ResourceType=vpc TagSpecification.1.Tag.1.Key=team TagSpecification.1.Tag.1.Value=shop")
	a.must(t, "CreateSubnet VpcId=vpc-#2 CidrBlock=10.0.1.0/28 AvailabilityZone=us-east-1b") // subnet-#2
	a.must(t, "ModifySubnetAttribute SubnetId=subnet-#2 PrivateDnsHostnameTypeOnLaunch=resource-name")
	a.must(t, "ModifySubnetAttribute SubnetId=subnet-#2 EnableResourceNameDnsARecordOnLaunch.Value=true")
	a.must(t, "DescribeRouteTables Filter.1.Name=vpc-id Filter.1.Value.1=vpc-#2") // rtb-#2, rtbassoc-#2
	a.must(t, "CreateInternetGateway")                                            // igw-#2
	a.must(t, "CreateRouteTable VpcId=vpc-#2")                                    // rtb-#3
	a.must(t, "AssociateRouteTable RouteTableId=rtb-#3 SubnetId=subnet-#2")       // rtbassoc-#3
	a.must(t, "CreateNatGateway SubnetId=subnet-#2 ConnectivityType=private PrivateIpAddress=10.0.1.7")
	a.must(t, "CreateNatGateway SubnetId=subnet-#1 ConnectivityType=private")
	a.must(t, "DeleteNatGateway NatGatewayId=nat-#2")
	a.must(t, "CreateRoute RouteTableId=rtb-#3 DestinationCidrBlock=192.168.0.0/16 NatGatewayId=nat-#1")
	a.must(t, "AllocateAddress")
	a.must(t, "AllocateAddress")
	a.must(t, "CreateNatGateway SubnetId=subnet-#1 AllocationId=eipalloc-#2 PrivateIpAddress=172.31.0.9") // nat-#3, eni-#3, eipassoc-#1
	a.must(t, "CreateDhcpOptions DhcpConfiguration.1.Key=ntp-servers DhcpConfiguration.1.Value.1=10.0.0.9")
	a.must(t, "DescribeNetworkAcls Filter.1.Name=vpc-id Filter.1.Value.1=vpc-#2") // acl-#1, aclassoc-#1
	e, err := findAddress(a.store.View().Tables, testScope, a.known(t, "eipalloc-#2"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct {
		operation, one string // element that a resource has one of
		all            int
		filters        string // NAME=VALUE>COUNT
	}{
		{"DescribeVpcs", "<isDefault>", 2, `cidr=10.0.0.0/16>1 cidr-block-association.association-id=vpc-cidr-assoc-#1>1 cidr-block-association.cidr-block=10.*>1
			cidr-block-association.state=associated>2 dhcp-options-id=dopt-#1>2 is-default=true>1 isDefault=false>1 owner-id=123456789012>2 state=available>2
			vpc-id=vpc-#2>1 tag:team=shop>1 tag-key=team>1 tag-value=sh?p>1 ipv6-cidr-block-association.association-id=*>0
			ipv6-cidr-block-association.ipv6-cidr-block=*>0 ipv6-cidr-block-association.ipv6-pool=*>0 ipv6-cidr-block-association.state=*>0`},
		{"DescribeSubnets", "<subnetArn>", 4, `availability-zone=us-east-1b>2 availabilityZone=us-east-1c>1 availability-zone-id=use1-az1>1 availabilityZoneId=use1-az2>2
			available-ip-address-count=10>1 cidr=10.0.1.0/28>1 cidr-block=172.31.*>3 cidrBlock=10.0.1.0/28>1 default-for-az=true>3 defaultForAz=false>1
			enable-dns64=false>4 ipv6-native=false>4 map-customer-owned-ip-on-launch=true>0 map-public-ip-on-launch=true>3 owner-id=123456789012>4
			private-dns-name-options-on-launch.enable-resource-name-dns-a-record=true>1 private-dns-name-options-on-launch.hostname-type=resource-name>1
			private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record=false>4 state=available>4 subnet-id=subnet-#2>1 vpc-id=vpc-#2>1
			subnet-arn=arn:aws:ec2:us-east-1:123456789012:subnet/subnet-#2>1 customer-owned-ipv4-pool=*>0 enable-lni-at-device-index=*>0 outpost-arn=*>0
			ipv6-cidr-block-association.association-id=*>0 ipv6-cidr-block-association.ipv6-cidr-block=*>0 ipv6-cidr-block-association.state=*>0`},
		{"DescribeRouteTables", "<propagatingVgwSet>", 3, `association.main=true>2 association.main=false>1 association.route-table-association-id=rtbassoc-#3>1
			association.route-table-id=rtb-#3>1 association.subnet-id=subnet-#2>1 owner-id=123456789012>3 route-table-id=rtb-#1>1
			route.destination-cidr-block=0.0.0.0/0>1 route.gateway-id=local>3 route.gateway-id=igw-#1>1 route.nat-gateway-id=nat-#1>1 route.origin=CreateRoute>2
			route.state=active>3 route.state=blackhole>0 vpc-id=vpc-#2>2 association.gateway-id=*>0 route.core-network-arn=*>0
			route.destination-ipv6-cidr-block=*>0 route.destination-prefix-list-id=*>0 route.egress-only-internet-gateway-id=*>0 route.instance-id=*>0
			route.transit-gateway-id=*>0 route.vpc-peering-connection-id=*>0`},
		{"DescribeInternetGateways", "<attachmentSet>", 2, `attachment.state=available>1 attachment.vpc-id=vpc-#1>1 internet-gateway-id=igw-#2>1 owner-id=123456789012>2`},
		{"DescribeNatGateways", "<natGatewayAddressSet>", 3, `nat-gateway-id=nat-#2>1 state=available>2 state=deleted>1 subnet-id=subnet-#1>2 vpc-id=vpc-#2>1`},
		{"DescribeAddresses", "<domain>", 2, `allocation-id=eipalloc-#1>1 association-id=eipassoc-#1>1 domain=vpc>2 network-border-group=us-east-1>2
			network-interface-id=eni-#3>1 network-interface-owner-id=123456789012>1 private-ip-address=172.31.0.9>1 instance-id=*>0 public-ip=` + e.PublicIP + ">1"},
		{"DescribeDhcpOptions", "<dhcpConfigurationSet>", 2, `dhcp-options-id=dopt-#2>1 key=ntp-servers>1 value=10.0.0.9>1 owner-id=123456789012>2`},
		{"DescribeNetworkAcls", "<entrySet>", 2, `association.association-id=aclassoc-#1>1 association.network-acl-id=acl-#1>1 association.subnet-id=subnet-#2>1 default=true>2
			entry.cidr=0.0.0.0/0>2 entry.egress=true>2 entry.protocol=-1>2 entry.rule-action=deny>2 entry.rule-number=100>2 entry.rule-number=7>0 network-acl-id=acl-#1>1
			owner-id=123456789012>2 vpc-id=vpc-#2>1 entry.icmp.code=*>0 entry.icmp.type=*>0 entry.ipv6-cidr=*>0 entry.port-range.from=*>0 entry.port-range.to=*>0`},
		{"DescribeTags", "<resourceType>", 1, `key=team>1 key=x>0 resource-id=vpc-#2>1 resource-type=vpc>1 resource-type=subnet>0 value=shop>1 tag:team=shop>1`},
		{"DescribeRegions", "<regionEndpoint>", 1, `endpoint=ec2.*>1 opt-in-status=opt-in-not-required>1 region-name=eu-*>0 region-name=us-*>1`},
		{"DescribeAvailabilityZones", "<zoneState>", 3, `group-name=us-east-1-zg-1>3 opt-in-status=opt-in-not-required>3 region-name=us-east-1>3 state=available>3
			zone-id=use1-az2>1 zone-name=us-east-1a>1 zone-type=availability-zone>3 message=*>0 parent-zone-id=*>0 parent-zone-name=*>0`},
	} {
		shows := func(line string, want int) {
			t.Helper()
			if got := strings.Count(a.must(t, line), kind.one); got != want {
				t.Errorf("%s shows %d, want %d", line, got, want)
			}
		}
		shows(kind.operation, kind.all)
		for f := range strings.FieldsSeq(kind.filters) {
			name, rest, _ := strings.Cut(f, "=")
			value, n, _ := strings.Cut(rest, ">")
			want := 0
			if _, err := fmt.Sscan(n, &want); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			with := fmt.Sprintf("%s Filter.1.Name=%s Filter.1.Value.1=%s", kind.operation, name, value)
			shows(with, want)
			shows(with+" Filter.1.Value.2=nothing", want)                           // any of the values
			shows(with+" Filter.2.Name="+name+" Filter.2.Value.1=nothing", 0)       // all of the filters
			shows(strings.Replace(with, "Value.1="+value, "Value.1=nothing", 1), 0) // and no others
		}
	}
}
