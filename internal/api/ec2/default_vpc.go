package ec2

import (
	"context"
	"fmt"
	"reflect"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
	"berth/internal/vpc"
)

// AWS's default VPC: its range, and that of the subnet in each availability zone.
const (
	defaultCIDR       = "172.31.0.0/16"
	defaultSubnetCIDR = "172.31.%d.0/20"
)

// accountSetting says that an account's region has had its default VPC, which may have been deleted since.
func accountSetting(s arn.Scope) string { return "ec2-account/" + s.Account + "/" + s.Region }

// ensureAccount gives an account's region what a new AWS account has: a default VPC with an internet gateway, a subnet in each zone, a main route table, a
// default security group and a set of DHCP options. Once in the life of the account.
func (a *API) ensureAccount(ctx context.Context, s arn.Scope) error {
	if a.store.View().Settings.Get(accountSetting(s)) != nil {
		return nil
	}
	return a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Settings.Get(accountSetting(s)) == nil {
			v := a.newDefaultVPC(tx, s)
			tx.Put(&ecs.Setting{Name: accountSetting(s), Value: v.ID()})
		}
		return nil
	})
}

// newDefaultVPC makes the account's default VPC.
func (a *API) newDefaultVPC(tx *state.Tx, s arn.Scope) *vpc.VPC {
	v := newVPC(tx, s, defaultCIDR)
	v.IsDefault, v.DNSHostnames = true, true
	a.putVPC(tx, s, v)
	gateway := &vpc.InternetGateway{Arn: vpc.ARN(s, vpc.KindInternetGateway, newID("igw-")), VpcID: v.ID()}
	tx.Put(gateway)
	main := *mainRouteTable(tx.Tables, s, v.ID())
	main.Routes = append(main.Routes, vpc.Route{Destination: "0.0.0.0/0", GatewayID: gateway.ID()})
	tx.Put(&main)
	for n, letter := range a.zones {
		sub := a.newSubnet(s, v.ID(), fmt.Sprintf(defaultSubnetCIDR, 16*n), letter)
		sub.DefaultForAz, sub.MapPublicIPOnLaunch = true, true
		tx.Put(sub)
	}
	return v
}

// newVPC is a VPC with what it needs for itself. putVPC stores it.
func newVPC(tx *state.Tx, s arn.Scope, cidr string) *vpc.VPC {
	return &vpc.VPC{
		Arn: vpc.ARN(s, vpc.KindVPC, newID("vpc-")), CidrBlock: cidr, InstanceTenancy: "default", DNSSupport: true, VNI: freeVNI(tx.Tables),
		Associations:  []vpc.CidrAssociation{{AssociationID: newID("vpc-cidr-assoc-"), CidrBlock: cidr}},
		DHCPOptionsID: dhcpOptions(tx, s), NetworkACLID: newID("acl-"), CreatedAt: now(),
	}
}

// putVPC stores a new VPC with its main route table and its default security group.
func (a *API) putVPC(tx *state.Tx, s arn.Scope, v *vpc.VPC) {
	tx.Put(v)
	tx.Put(&vpc.RouteTable{
		Arn: vpc.ARN(s, vpc.KindRouteTable, newID("rtb-")), VpcID: v.ID(),
		Associations: []vpc.RouteTableAssociation{{ID: newID("rtbassoc-"), Main: true}},
	})
	id := newID("sg-")
	tx.Put(&vpc.SecurityGroup{
		Arn: vpc.ARN(s, vpc.KindSecurityGroup, id), GroupName: defaultGroup, Description: "default VPC security group", VpcID: v.ID(), CreatedAt: now(),
		Rules: []vpc.Rule{
			{ID: newID("sgr-"), Protocol: "-1", FromPort: -1, ToPort: -1, GroupID: id},
			{ID: newID("sgr-"), Egress: true, Protocol: "-1", FromPort: -1, ToPort: -1, CidrIPv4: "0.0.0.0/0"},
		},
	})
}

// defaultGroup is the name of a VPC's security group that is there from the start and cannot be deleted.
const defaultGroup = "default"

// newSubnet is a subnet in the zone with that letter.
func (a *API) newSubnet(s arn.Scope, vpcID vpc.ID, cidr, letter string) *vpc.Subnet {
	return &vpc.Subnet{
		Arn: vpc.ARN(s, vpc.KindSubnet, newID("subnet-")), VpcID: vpcID, CidrBlock: cidr, AvailabilityZone: zone(s, letter),
		AvailabilityZoneID: zoneID(s, letter), PrivateDNSHostnameType: "ip-name", NetworkACLAssociation: newID("aclassoc-"), CreatedAt: now(),
	}
}

// mainRouteTable is the main route table of a VPC.
func mainRouteTable(t *state.Tables, s arn.Scope, vpcID vpc.ID) *vpc.RouteTable {
	for r := range t.RouteTables.Under(vpc.Prefix(s, vpc.KindRouteTable), "") {
		if r.VpcID == vpcID && r.Main() {
			return r
		}
	}
	return nil
}

// dhcpOptions are the account's default DHCP options, which are made with its first VPC.
func dhcpOptions(tx *state.Tx, s arn.Scope) vpc.ID {
	own := []vpc.DHCPConfiguration{
		{Key: "domain-name", Values: []string{vpc.InternalDomain(s.Region)}}, {Key: "domain-name-servers", Values: []string{amazonDNS}},
	}
	for d := range allDHCPOptions(tx.Tables, s) {
		if reflect.DeepEqual(d.Configurations, own) {
			return d.ID()
		}
	}
	d := &vpc.DHCPOptions{Arn: vpc.ARN(s, vpc.KindDHCPOptions, newID("dopt-")), Configurations: own}
	tx.Put(d)
	return d.ID()
}

// amazonDNS stands for the VPC's own resolver in DHCP options.
const amazonDNS = "AmazonProvidedDNS"

// freeVNI is a VXLAN number that no VPC of the installation has.
func freeVNI(t *state.Tables) int32 {
	taken := map[int32]bool{}
	for v := range t.VPCs.All() {
		taken[v.VNI] = true
	}
	for n := int32(firstVNI); ; n++ {
		if !taken[n] {
			return n
		}
	}
}

// firstVNI is the VXLAN number of an installation's first VPC.
const firstVNI = 4097
