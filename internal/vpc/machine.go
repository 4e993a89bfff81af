package vpc

import (
	"berth/internal/acsproto"
)

// NetworkVPC is what a machine needs to know of a VPC, besides its subnets.
func NetworkVPC(v *VPC) acsproto.VPC {
	out := acsproto.VPC{ID: v.ID(), VNI: uint32(v.VNI), DNS: v.DNSSupport, Reachable: v.IsDefault, Subnets: []acsproto.Subnet{}}
	for _, c := range v.Associations {
		out.CIDRs = append(out.CIDRs, c.CidrBlock)
	}
	return out
}

// NetworkSubnet is what a machine needs to know of a subnet with its route table. gateway says whether an internet gateway is attached to the VPC,
// and nat finds a NAT gateway, nil where it is gone: then the route leads nowhere.
func NetworkSubnet(s *Subnet, r *RouteTable, gateway func(ID) bool, nat func(ID) *NATGateway) acsproto.Subnet {
	out := acsproto.Subnet{ID: s.ID(), CIDR: s.CidrBlock}
	if r == nil {
		return out
	}
	for _, x := range r.Routes {
		to := acsproto.Route{Destination: x.Destination, Via: "blackhole"}
		switch {
		case x.GatewayID != "" && gateway(x.GatewayID):
			to.Via = "internet"
		case x.NATGateway != "":
			if g := nat(x.NATGateway); g != nil && g.State == "available" {
				to.Via, to.NAT = "nat", g.PublicIP
			}
		}
		out.Routes = append(out.Routes, to)
	}
	return out
}

// NetworkGroup is what a machine needs to know of a security group. Rules for IPv6 are left out: no interface has such an address.
func NetworkGroup(g *SecurityGroup) acsproto.SecurityGroup {
	out := acsproto.SecurityGroup{ID: g.ID(), VPC: g.VpcID}
	for _, r := range g.Rules {
		if r.CidrIPv4 == "" && r.GroupID == "" {
			continue
		}
		rule := acsproto.SecurityRule{Protocol: r.Protocol, From: r.FromPort, To: r.ToPort, CIDR: r.CidrIPv4, Group: r.GroupID}
		if r.Egress {
			out.Egress = append(out.Egress, rule)
		} else {
			out.Ingress = append(out.Ingress, rule)
		}
	}
	return out
}

// NetworkInterfaceOn is what a machine needs to know of an interface. host is the address of the machine that has it, and local says that it is a task's of
// the container instance that is told.
func NetworkInterfaceOn(n *NetworkInterface, host string, local bool, region string) acsproto.NetworkInterface {
	return acsproto.NetworkInterface{
		ID: n.ID(), VPC: n.VpcID, Subnet: n.SubnetID, Address: n.Address, MAC: n.MAC, Groups: n.Groups, Public: n.PublicIP, Host: host, Local: local,
		Name: PrivateDNSName(region, n.Address),
	}
}
