package acsproto

// ElasticNetworkInterface is the network interface of a task in awsvpc mode, as a payload has it (agent-protocol.md 4.6).
type ElasticNetworkInterface struct {
	AttachmentARN            string        `json:"attachmentArn,omitempty"`
	ID                       string        `json:"ec2Id"` // eni-...
	MACAddress               string        `json:"macAddress"`
	IPv4Addresses            []IPv4Address `json:"ipv4Addresses"`
	SubnetGatewayIPv4Address string        `json:"subnetGatewayIpv4Address"` // with the subnet's prefix: "10.0.1.1/24"
	PrivateDNSName           string        `json:"privateDnsName,omitempty"`
	DomainName               []string      `json:"domainName,omitempty"`        // search list
	DomainNameServers        []string      `json:"domainNameServers,omitempty"` // of resolv.conf
}

// IPv4Address is an address of a network interface.
type IPv4Address struct {
	Primary        bool   `json:"primary"`
	PrivateAddress string `json:"privateAddress"`
}

// Network tells Berth's own agent what the VPCs of its interfaces look like, as of commit N. The official agent is never sent it.
//
// The first one of a session is whole (Whole): what it does not have is not wanted. Those after it have what has changed: an object replaces the
// one with its id, and what is gone is named in Gone. They are not acked: each is true as
// of its commit, the order is that of the socket, and the next session begins anew.
type Network struct {
	MessageID         string             `json:"messageId"`
	Cluster           string             `json:"clusterArn"`
	ContainerInstance string             `json:"containerInstanceArn"`
	N                 int64              `json:"n"`
	Whole             bool               `json:"whole,omitempty"`
	VPCs              []VPC              `json:"vpcs,omitempty"`
	Groups            []SecurityGroup    `json:"groups,omitempty"`
	Interfaces        []NetworkInterface `json:"interfaces,omitempty"`
	Gone              []string           `json:"gone,omitempty"` // ids of VPCs, groups and interfaces
}

// VPC is a VPC with its subnets.
type VPC struct {
	ID        string   `json:"vpcId"`
	VNI       uint32   `json:"vni"`                 // of its VXLAN
	CIDRs     []string `json:"cidrs"`               // the first one is the primary one; DNS is at its base + 2
	DNS       bool     `json:"dns,omitempty"`       // enableDnsSupport
	Reachable bool     `json:"reachable,omitempty"` // from the machine: the default VPC
	Subnets   []Subnet `json:"subnets"`
}

// Subnet is a subnet of a VPC, with the routes of its route table.
type Subnet struct {
	ID     string  `json:"subnetId"`
	CIDR   string  `json:"cidr"`
	Routes []Route `json:"routes,omitempty"` // beyond the VPC's own, which is always there
}

// Route says where packets to a destination go. The longest prefix wins.
type Route struct {
	Destination string `json:"destination"`   // CIDR
	Via         string `json:"via"`           // "internet": an internet gateway, "nat": a NAT gateway, "blackhole"
	NAT         string `json:"nat,omitempty"` // the NAT gateway's public address, with via nat
}

// SecurityGroup is a security group of a VPC. Its members are the interfaces that name it.
type SecurityGroup struct {
	ID      string         `json:"groupId"`
	VPC     string         `json:"vpcId"`
	Ingress []SecurityRule `json:"ingress,omitempty"`
	Egress  []SecurityRule `json:"egress,omitempty"`
}

// SecurityRule allows packets from, or to, a range of addresses or the members of a group.
type SecurityRule struct {
	Protocol string `json:"protocol"`        // "tcp", "udp", "icmp", "-1" for all, or a protocol's number
	From     int32  `json:"from"`            // first port; ICMP type, -1 for all
	To       int32  `json:"to"`              // last port; ICMP code, -1 for all
	CIDR     string `json:"cidr,omitempty"`  // or
	Group    string `json:"group,omitempty"` // the id of a group of the VPC
}

// NetworkInterface is a network interface in a VPC, on this machine or another one.
type NetworkInterface struct {
	ID      string   `json:"networkInterfaceId"`
	VPC     string   `json:"vpcId"`
	Subnet  string   `json:"subnetId"`
	Address string   `json:"address"`
	MAC     string   `json:"mac"`
	Groups  []string `json:"groups"`
	Public  string   `json:"public,omitempty"` // its public address, where it has one: it may leave through an internet gateway
	Local   bool     `json:"local,omitempty"`  // of a task of this container instance
	Host    string   `json:"host,omitempty"`   // the address of the machine that has it, for VXLAN
	Name    string   `json:"name,omitempty"`   // private DNS name
}
