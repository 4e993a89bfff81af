package ec2

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A dry run changes nothing and says that the request would have succeeded.
func TestDryRun(t *testing.T) {
	a := newAccount(t)
	a.must(t, "DescribeVpcs")
	before := a.store.View().N
	var without []string
	for name, o := range a.ops {
		if _, has := o.Input.FieldByName("DryRun"); !has {
			without = append(without, name)
			continue
		}
		out, err := a.ask(t, name, url.Values{"DryRun": {"true"}})
		if err == nil || err.Code != "DryRunOperation" || err.Status != http.StatusPreconditionFailed || a.store.View().N != before {
			t.Errorf("%s: %s, %v", name, out, err)
		}
	}
	slices.Sort(without)
	want := []string{"AssociateVpcCidrBlock", "DisassociateVpcCidrBlock", "ModifySubnetAttribute", "ModifyVpcAttribute"} // on AWS as well
	if diff := cmp.Diff(want, without); diff != "" {
		t.Errorf("operations without DryRun: %s", diff)
	}
}

// Every operation has members that a query can give and an answer that the wire can hold.
func TestShapes(t *testing.T) {
	a := newAccount(t)
	for name, o := range a.ops {
		for _, shape := range []reflect.Type{o.Input, o.Output} {
			if shape.Kind() != reflect.Struct {
				t.Errorf("%s: %s is no structure", name, shape)
			}
		}
	}
}

// crowd makes a dozen of each kind of resource.
func crowd(t *testing.T, a *account) {
	t.Helper()
	for n := range 12 {
		id := strconv.Itoa(n + 1)
		a.must(t, "CreateVpc CidrBlock=10."+id+".0.0/16 TagSpecification.1.ResourceType=vpc TagSpecification.1.Tag.1.Key=n TagSpecification.1.Tag.1.Value="+id)
		a.must(t, "CreateSubnet VpcId=vpc-#"+id+" CidrBlock=10."+id+".1.0/24")
		a.must(t, "CreateInternetGateway")
		a.must(t, "CreateNatGateway ConnectivityType=private SubnetId=subnet-#"+id)
		a.must(t, "AllocateAddress")
		a.must(t, "CreateDhcpOptions DhcpConfiguration.1.Key=domain-name DhcpConfiguration.1.Value.1=d"+id)
		a.must(t, "CreateTags Tag.1.Key=z Tag.2.Key=a ResourceId.1=igw-#"+id+" ResourceId.2=subnet-#"+id)
	}
	for g := range a.store.View().SecurityGroups.All() {
		a.must(t, "CreateTags Tag.1.Key=z Tag.2.Key=a ResourceId.1="+g.ID()+" ResourceId.2="+g.Rules[0].ID+" ResourceId.3="+g.Rules[1].ID)
	}
}

// Pages have at most as many resources as were asked for, and together all, each once.
func TestPages(t *testing.T) {
	a := newAccount(t)
	crowd(t, a)
	token := regexp.MustCompile(`<nextToken>(.*?)</nextToken>`)
	for operation, one := range map[string]string{
		"DescribeVpcs": `<isDefault>.*?<vpcId>(.*?)</vpcId>`, "DescribeSubnets": `<subnetId>(.*?)</subnetId>`,
		"DescribeRouteTables": `<routeTableId>([^<]*)</routeTableId><tagSet>`, "DescribeInternetGateways": `<internetGatewayId>(.*?)</internetGatewayId>`,
		"DescribeNatGateways": `<natGatewayId>(.*?)</natGatewayId>`, "DescribeAddressesAttribute": `<allocationId>(.*?)</allocationId>`,
		"DescribeDhcpOptions": `<dhcpOptionsId>(.*?)</dhcpOptionsId>`, "DescribeNetworkAcls": `<networkAclId>([^<]*)</networkAclId><ownerId>`,
		"DescribeTags": `<resourceId>(.*?)</resourceId>`,
	} {
		ids := func(answer string) (out []string) {
			for _, m := range regexp.MustCompile(one).FindAllStringSubmatch(answer, -1) {
				out = append(out, m[1])
			}
			return out
		}
		want := ids(a.must(t, operation))
		if len(want) < 12 {
			t.Fatalf("%s shows only %v", operation, want)
		}
		var got []string
		for line := operation + " MaxResults=5"; ; {
			answer := a.must(t, line)
			page := ids(answer)
			got = append(got, page...)
			next := token.FindStringSubmatch(answer)
			if next == nil {
				break
			}
			if len(page) != 5 || len(got) > len(want) {
				t.Fatalf("%s: a page of %d before the last one, %d in all", operation, len(page), len(got))
			}
			line = operation + " MaxResults=5 NextToken=" + next[1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: pages differ from the whole (-whole +pages):\n%s", operation, diff)
		}
	}
}

// No account has more of anything than its quota.
func TestQuotas(t *testing.T) {
	const inVPC = " VpcId=vpc-#1"
	for _, test := range []struct {
		make       []string // lines that are asked first
		line       string   // %d counts from 0
		most       int
		code, text string
	}{
		{nil, "CreateVpc CidrBlock=10.%d.0.0/16", mostVPCs - 1, "VpcLimitExceeded", "The maximum number of VPCs has been reached."},
		{[]string{"CreateVpc CidrBlock=10.0.0.0/16"}, "CreateSubnet CidrBlock=10.0.%d.0/24" + inVPC, mostSubnets, "SubnetLimitExceeded",
			"The maximum number of subnets has been reached."},
		{[]string{"CreateVpc CidrBlock=10.200.0.0/16"}, "AssociateVpcCidrBlock CidrBlock=10.%d.0.0/16" + inVPC, mostCidrBlocks - 1, "CidrLimitExceeded",
			"This network 'vpc-#1' has met its maximum number of allowed CIDRs: 5"},
		{[]string{"DescribeVpcs"}, "CreateRouteTable" + inVPC, mostRouteTables - 1, "RouteTableLimitExceeded", "The maximum number of route tables has been reached."},
		{[]string{"DescribeRouteTables", "DescribeInternetGateways"}, "CreateRoute RouteTableId=rtb-#1 GatewayId=igw-#1 DestinationCidrBlock=10.0.0.%d/32",
			mostRoutes - 1, "RouteLimitExceeded", "The maximum number of routes has been reached."},
		{nil, "CreateInternetGateway", mostInternetGateways - 1, "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."},
		{nil, "AllocateAddress", mostAddresses, "AddressLimitExceeded", "The maximum number of addresses has been reached."},
		{nil, "CreateDhcpOptions DhcpConfiguration.1.Key=domain-name DhcpConfiguration.1.Value.1=a", mostDHCPOptions - 1, "DhcpOptionsLimitExceeded",
			"The maximum number of DHCP options sets has been reached."},
		{[]string{"CreateVpc CidrBlock=10.0.0.0/16", "CreateSubnet CidrBlock=10.0.0.0/24" + inVPC}, "CreateNatGateway ConnectivityType=private SubnetId=subnet-#1",
			mostNATGateways, "NatGatewayLimitExceeded", "Performing this operation would exceed the limit of 100 NAT gateways"},
	} {
		t.Run(test.code, func(t *testing.T) {
			a := newAccount(t)
			for _, line := range test.make {
				a.must(t, line)
			}
			if test.code == "RouteLimitExceeded" {
				a.fullRouteTable(t)
			} else {
				for n := range test.most {
					a.must(t, counted(test.line, n))
				}
			}
			a.refuses(t, []wrong{{counted(test.line, test.most%256), test.code, test.text}})
		})
	}
}

func counted(line string, n int) string {
	if regexp.MustCompile(`%d`).MatchString(line) {
		return fmt.Sprintf(line, n)
	}
	return line
}

// fullRouteTable gives the default VPC's main route table as many routes as it may have.
func (a *account) fullRouteTable(t *testing.T) {
	t.Helper()
	table := *mainRouteTable(a.store.View().Tables, testScope, defaultVPC(a.store.View().Tables, testScope).ID())
	table.Routes = slices.Clone(table.Routes)
	for n := range mostRoutes - len(table.Routes) {
		route := table.Routes[0]
		route.Destination = fmt.Sprintf("100.64.%d.%d/32", n/256, n%256)
		table.Routes = append(table.Routes, route)
	}
	a.put(t, &table)
}
