package ec2

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"berth/internal/arn"
	"berth/internal/state"
	"berth/internal/vpc"
)

// Whatever is made and deleted, in whatever order: subnets lie within their VPC and none overlaps another, each VPC has one main route table and one default
// security group, no subnet has two route tables, addresses are held once and counted, and nothing outlives its VPC.
func TestRandomRequests(t *testing.T) {
	for seed := range uint64(20) {
		a, random := newAccount(t), rand.New(rand.NewPCG(seed, 0))
		a.must(t, "DescribeVpcs")
		a.must(t, "CreateInternetGateway")
		a.must(t, "AllocateAddress")
		done := map[bool]int{}
		for range 150 {
			line, ok := a.randomLine(random)
			if !ok {
				continue
			}
			answer := a.tell(t, line)
			done[answer[0] == ' ' || answer == ""]++
			if wrong := broken(a.store.View().Tables, testScope); wrong != "" {
				t.Fatalf("seed %d: after %s: %s", seed, line, wrong)
			}
		}
		if done[true] < 20 || done[false] < 20 {
			t.Errorf("seed %d: %d requests were done and %d refused: too few to say anything", seed, done[true], done[false])
		}
	}
}

// randomLine is a request about things that answers have shown, or did once.
func (a *account) randomLine(random *rand.Rand) (string, bool) {
	missing := false
	some := func(prefix string) string {
		if len(a.ids[prefix]) == 0 {
			missing = true
			return ""
		}
		return fmt.Sprintf("%s#%d", prefix, 1+random.IntN(len(a.ids[prefix])))
	}
	block := func() string {
		return fmt.Sprintf("10.%d.%d.0/%d", random.IntN(2), 16*random.IntN(4), 16+random.IntN(7))
	}
	lines := []func() string{
		func() string { return "CreateVpc CidrBlock=" + block() },
		func() string { return "AssociateVpcCidrBlock CidrBlock=" + block() + " VpcId=" + some("vpc-") },
		func() string { return "DisassociateVpcCidrBlock AssociationId=" + some("vpc-cidr-assoc-") },
		func() string { return "CreateSubnet CidrBlock=" + block() + " VpcId=" + some("vpc-") },
		func() string { return "CreateSubnet CidrBlock=" + block() + " VpcId=" + some("vpc-") },
		func() string { return "DeleteSubnet SubnetId=" + some("subnet-") },
		func() string { return "DeleteVpc VpcId=" + some("vpc-") },
		func() string { return "CreateRouteTable VpcId=" + some("vpc-") },
		func() string { return "DescribeRouteTables" },
		func() string {
			return "AssociateRouteTable RouteTableId=" + some("rtb-") + " SubnetId=" + some("subnet-")
		},
		func() string {
			return "ReplaceRouteTableAssociation RouteTableId=" + some("rtb-") + " AssociationId=" + some("rtbassoc-")
		},
		func() string { return "DisassociateRouteTable AssociationId=" + some("rtbassoc-") },
		func() string { return "DeleteRouteTable RouteTableId=" + some("rtb-") },
		func() string {
			return "AttachInternetGateway InternetGatewayId=" + some("igw-") + " VpcId=" + some("vpc-")
		},
		func() string {
			return "DetachInternetGateway InternetGatewayId=" + some("igw-") + " VpcId=" + some("vpc-")
		},
		func() string { return "CreateNatGateway ConnectivityType=private SubnetId=" + some("subnet-") },
		func() string {
			return "CreateNatGateway AllocationId=" + some("eipalloc-") + " SubnetId=" + some("subnet-")
		},
		func() string { return "DeleteNatGateway NatGatewayId=" + some("nat-") },
	}
	line := lines[random.IntN(len(lines))]()
	return line, !missing
}

// broken says what is wrong, "" if nothing is.
func broken(t *state.Tables, s arn.Scope) string {
	mains, groups := map[vpc.ID]int{}, map[vpc.ID]int{}
	tablesOf := map[vpc.ID]int{}
	for table := range routeTables(t, s) {
		if t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, table.VpcID)) == nil {
			return table.ID() + " has outlived its VPC"
		}
		for _, a := range table.Associations {
			if a.Main {
				mains[table.VpcID]++
			} else if tablesOf[a.SubnetID]++; t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, a.SubnetID)) == nil || tablesOf[a.SubnetID] > 1 {
				return table.ID() + " is associated with " + a.SubnetID + ", which is gone or has another"
			}
		}
	}
	for g := range securityGroupsOf(t, s) {
		groups[g.VpcID]++
	}
	for v := range vpcs(t, s) {
		if mains[v.ID()] != 1 || groups[v.ID()] != 1 {
			return fmt.Sprintf("%s has %d main route tables and %d security groups", v.ID(), mains[v.ID()], groups[v.ID()])
		}
		delete(groups, v.ID())
		if wrong := brokenSubnets(t, s, v); wrong != "" {
			return wrong
		}
	}
	if len(groups) > 0 {
		return fmt.Sprintf("security groups of no VPC: %v", groups)
	}
	return brokenInterfaces(t, s)
}

func brokenSubnets(t *state.Tables, s arn.Scope, v *vpc.VPC) string {
	var seen []netip.Prefix
	for sub := range subnetsOf(t, s, v.ID()) {
		if !v.Contains(sub.Prefix()) {
			return sub.CidrBlock + " is outside of its VPC"
		}
		for _, other := range seen {
			if other.Overlaps(sub.Prefix()) {
				return sub.CidrBlock + " overlaps " + other.String()
			}
		}
		seen = append(seen, sub.Prefix())
	}
	return ""
}

func brokenInterfaces(t *state.Tables, s arn.Scope) string {
	held, in := map[string]bool{}, map[vpc.ID]int{}
	for n := range t.Interfaces.Under(vpc.Prefix(s, vpc.KindNetworkInterface), "") {
		sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, n.SubnetID))
		if sub == nil || !sub.Assignable(netip.MustParseAddr(n.Address)) || held[n.SubnetID+n.Address] {
			return n.ID() + " has no subnet, or an address that it cannot have: " + n.Address
		}
		held[n.SubnetID+n.Address] = true
		in[n.SubnetID]++
	}
	for id, n := range in {
		if sub := t.Subnets.Get(vpc.ARN(s, vpc.KindSubnet, id)); int(available(t, sub)) != sub.Addresses()-n {
			return id + " counts its addresses wrongly"
		}
	}
	for e := range addresses(t, s) {
		n := t.Interfaces.Get(vpc.ARN(s, vpc.KindNetworkInterface, e.InterfaceID))
		if (e.AssociationID != "") != (n != nil) {
			return e.PublicIP + " is associated with what is gone"
		}
	}
	return ""
}
