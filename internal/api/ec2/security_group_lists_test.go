package ec2

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/ecs"
	"berth/internal/vpc"
)

// Every filter of groups, rules and interfaces takes what it asks for and nothing else.
func TestGroupAndInterfaceFilters(t *testing.T) {
	a := newAccount(t)
	a.tasks(t) // sg-#1, subnet-#1, eni-#1 to eni-#3, of which the third is gone
	for _, line := range []string{
		"DescribeVpcs", "CreateVpc CidrBlock=10.0.0.0/16", "CreateSubnet VpcId=vpc-#2 CidrBlock=10.0.0.0/28 AvailabilityZone=us-east-1b",
		`CreateSecurityGroup VpcId=vpc-#2 GroupName=web GroupDescription="of web" TagSpecification.1.ResourceType=security-group TagSpecification.1.Tag.1.Key=team TagSpecification.1.Tag.1.Value=shop`,
		"AuthorizeSecurityGroupIngress GroupId=sg-#2 IpProtocol=tcp FromPort=80 ToPort=81 CidrIp=10.0.0.0/8",
		"AuthorizeSecurityGroupIngress GroupId=sg-#2 IpPermissions.1.IpProtocol=udp IpPermissions.1.FromPort=53 IpPermissions.1.ToPort=53 IpPermissions.1.Groups.1.GroupId=sg-#2 " +
			"TagSpecification.1.ResourceType=security-group-rule TagSpecification.1.Tag.1.Key=team TagSpecification.1.Tag.1.Value=shop",
		"AuthorizeSecurityGroupEgress GroupId=sg-#2 IpPermissions.1.IpProtocol=tcp IpPermissions.1.FromPort=90 IpPermissions.1.ToPort=91 IpPermissions.1.Groups.1.GroupId=sg-#2 " +
			"IpPermissions.1.Ipv6Ranges.1.CidrIpv6=2001:db8::/32",
		"CreateNetworkInterface SubnetId=subnet-#2 PrivateIpAddress=10.0.0.7 SecurityGroupId.1=sg-#2 Description=mine TagSpecification.1.ResourceType=network-interface " +
			"TagSpecification.1.Tag.1.Key=team TagSpecification.1.Tag.1.Value=shop",
		"ModifyNetworkInterfaceAttribute NetworkInterfaceId=eni-#4 SourceDestCheck.Value=false", "CreateInternetGateway",
		"AttachInternetGateway VpcId=vpc-#2 InternetGatewayId=igw-#1", "AllocateAddress", "AssociateAddress AllocationId=eipalloc-#1 NetworkInterfaceId=eni-#4",
		"CreateNatGateway SubnetId=subnet-#2 ConnectivityType=private",
	} {
		a.must(t, line)
	}
	e, err := findAddress(a.store.View().Tables, testScope, a.known(t, "eipalloc-#1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []listed{
		{"DescribeSecurityGroups", "<ownerId>", 3, `description=of?web>1 group-id=sg-#2>1 group-name=default>2 owner-id=123456789012>3 vpc-id=vpc-#2>2 tag:team=shop>1
			tag-key=team>1 tag-value=shop>1 ip-permission.cidr=10.0.0.0/8>1 ip-permission.from-port=80>1 ip-permission.to-port=81>1 ip-permission.to-port=80>0
			ip-permission.group-id=sg-#2>1 ip-permission.group-name=default>2 ip-permission.ipv6-cidr=*>0 ip-permission.prefix-list-id=*>0
			ip-permission.protocol=udp>1 ip-permission.protocol=-1>2 ip-permission.user-id=123456789012>3 egress.ip-permission.cidr=0.0.0.0/0>3
			egress.ip-permission.from-port=90>1 egress.ip-permission.to-port=91>1 egress.ip-permission.group-id=sg-#2>1 egress.ip-permission.group-name=web>1
			egress.ip-permission.ipv6-cidr=2001:db8::/32>1 egress.ip-permission.prefix-list-id=*>0 egress.ip-permission.protocol=tcp>1
			egress.ip-permission.user-id=123456789012>1`},
		{"DescribeSecurityGroupRules", "<isEgress>", 9, `group-id=sg-#2>5 security-group-rule-id=sgr-#1>1 tag:team=shop>1 tag-key=team>1 tag-value=shop>1`},
		{"DescribeNetworkInterfaces", "<macAddress>", 4, `addresses.association.owner-id=amazon>1 addresses.association.public-ip=198.18.0.7>1 addresses.primary=true>4
			addresses.private-ip-address=10.0.0.7>1 association.allocation-id=eipalloc-#1>1 association.association-id=eipassoc-#1>1
			association.ip-owner-id=123456789012>1 association.public-dns-name=*>0 attachment.attach-time=2000-01-01T00:00:00Z>1
			attachment.attachment-id=eni-attach-#1>1 attachment.delete-on-termination=true>1 attachment.device-index=1>3 attachment.instance-id=i-#1>1
			attachment.instance-owner-id=123456789012>1 attachment.instance-owner-id=578734482556>1 attachment.nat-gateway-id=nat-#1>1
			attachment.status=attaching>1 attachment.status=attached>2 availability-zone=us-east-1a>2 availability-zone-id=use1-az2>2 description=mine>1
			group-id=sg-#1>2 group-name=web>1 interface-type=nat_gateway>1 ipv6-addresses.ipv6-address=*>0 mac-address=02:00:00:00:00:01>1
			network-interface-id=eni-#4>1 operator.managed=false>4 operator.principal=*>0 owner-id=123456789012>4 private-dns-name=ip-172-31-0-11.ec2.internal>1
			private-ip-address=10.0.0.7>1 requester-id=578734482556>2 requester-managed=true>3 source-dest-check=true>2 status=available>1 status=in-use>3
			subnet-id=subnet-#1>2 vpc-id=vpc-#2>2 tag:team=shop>1 tag-key=team>1 tag-value=shop>1 association.public-ip=` + e.PublicIP + ">1"},
	} {
		kind.check(t, a)
	}
}

// listed is a Describe operation and its filters: one is an element that each resource has one of, all how many there are, filters NAME=VALUE>COUNT.
type listed struct {
	operation, one string
	all            int
	filters        string
}

func (l listed) check(t *testing.T, a *account) {
	t.Helper()
	shows := func(line string, want int) {
		t.Helper()
		if got := strings.Count(a.must(t, line), l.one); got != want {
			t.Errorf("%s shows %d, want %d", line, got, want)
		}
	}
	shows(l.operation, l.all)
	for f := range strings.FieldsSeq(l.filters) {
		name, rest, _ := strings.Cut(f, "=")
		value, n, _ := strings.Cut(rest, ">")
		want := 0
		if _, err := fmt.Sscan(n, &want); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		with := fmt.Sprintf("%s Filter.1.Name=%s Filter.1.Value.1=%s", l.operation, name, value)
		shows(with, want)
		shows(with+" Filter.1.Value.2=nothing", want)
		shows(with+" Filter.2.Name="+name+" Filter.2.Value.1=nothing", 0)
		shows(strings.Replace(with, "Value.1="+value, "Value.1=nothing", 1), 0)
	}
}

// Pages of groups, rules and interfaces have as many as were asked for, and together all, each once and in one order.
func TestPagesOfGroupsAndInterfaces(t *testing.T) {
	a := newAccount(t)
	a.tasks(t)
	for n := range 12 {
		a.must(t, fmt.Sprintf("CreateSecurityGroup GroupName=g%d GroupDescription=d", n))
		a.must(t, fmt.Sprintf("AuthorizeSecurityGroupIngress GroupName=g%d IpProtocol=tcp FromPort=80 ToPort=81 CidrIp=10.0.0.0/8", n))
		a.must(t, "CreateNetworkInterface SubnetId=subnet-#1")
	}
	for operation, test := range map[string]struct {
		id  string
		all int
	}{"DescribeSecurityGroups": {"<securityGroupArn>(.*?)<", 13}, "DescribeSecurityGroupRules": {"<securityGroupRuleId>(.*?)<", 26},
		"DescribeNetworkInterfaces": {"<networkInterfaceId>(.*?)<", 14}} {
		ids, next := regexp.MustCompile(test.id), regexp.MustCompile("<nextToken>(.*?)<")
		whole, paged := ids.FindAllString(a.must(t, operation), -1), []string{}
		for line := operation + " MaxResults=5"; line != ""; {
			answer := a.must(t, line)
			page := ids.FindAllString(answer, -1)
			line = ""
			if token := next.FindStringSubmatch(answer); token != nil {
				line = operation + " MaxResults=5 NextToken=" + token[1]
				if len(page) != 5 {
					t.Errorf("%s: a page of %d before the last", operation, len(page))
				}
			}
			if paged = append(paged, page...); len(paged) > test.all {
				t.Fatalf("%s does not end: %v", operation, paged)
			}
		}
		if diff := cmp.Diff(whole, paged); diff != "" || len(whole) != test.all {
			t.Errorf("%s: %d, want %d; pages differ (-whole +paged): %s", operation, len(whole), test.all, diff)
		}
	}
}

// Rules, groups and interfaces end at AWS's quotas.
func TestQuotasOfGroupsAndInterfaces(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeSecurityGroups")
	a.must(t, "DescribeSubnets Filter.1.Name=cidr Filter.1.Value.1=172.31.0.0/20")
	v := defaultVPC(a.store.View().Tables, testScope)
	subnet := a.known(t, "subnet-#1")
	a.many(t, mostSecurityGroups-1, func(n int) ecs.Record { return newGroup(testScope, v.ID(), fmt.Sprint("g", n), "d") })
	a.many(t, mostInterfaces, func(n int) ecs.Record {
		return &vpc.NetworkInterface{Arn: vpc.ARN(testScope, vpc.KindNetworkInterface, fmt.Sprintf("eni-%017x", n)), VpcID: v.ID(), SubnetID: subnet,
			Address: fmt.Sprintf("172.31.%d.%d", n/256, n%256)}
	})
	for n := range vpc.RulesPerGroup {
		a.must(t, fmt.Sprintf("AuthorizeSecurityGroupIngress GroupName=g1 IpProtocol=tcp FromPort=%d ToPort=%d CidrIp=10.0.0.0/8", n, n))
	}
	a.refuses(t, []wrong{
		{"CreateSecurityGroup GroupName=more GroupDescription=d", "SecurityGroupLimitExceeded", "The maximum number of security groups has been reached."},
		{"CreateNetworkInterface SubnetId=subnet-#1", "NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached."},
		{"AuthorizeSecurityGroupIngress GroupName=g1 IpProtocol=tcp FromPort=60 ToPort=60 CidrIp=10.0.0.0/8", "RulesPerSecurityGroupLimitExceeded",
			"The maximum number of rules per security group has been reached."},
	})
	a.must(t, "AuthorizeSecurityGroupEgress GroupId=sg-#1 IpPermissions.1.IpProtocol=-1 IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/8")
}

// many puts n records.
func (a *account) many(t *testing.T, n int, make func(n int) ecs.Record) {
	t.Helper()
	var batch []ecs.Record
	for i := range n {
		if batch = append(batch, make(i)); len(batch) == 100 || i == n-1 {
			a.put(t, batch...)
			batch = nil
		}
	}
}
