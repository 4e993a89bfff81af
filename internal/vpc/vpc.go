package vpc

import (
	"net/netip"
	"time"

	"berth/internal/record"
)

// VPC is a VPC. Written by: api/ec2.
type VPC struct {
	Arn             string
	CidrBlock       string            // the primary one
	Associations    []CidrAssociation // of its address ranges, the primary one first
	IsDefault       bool
	InstanceTenancy string // default or dedicated
	DHCPOptionsID   ID     `json:"dhcpOptionsId"`
	DNSSupport      bool   `json:"enableDnsSupport"`
	DNSHostnames    bool   `json:"enableDnsHostnames"`
	VNI             int32  // of its VXLAN, its own in the installation
	NetworkACLID    ID     `json:"networkAclId"` // of its default network ACL, which lets everything through
	Tags            []Tag
	CreatedAt       time.Time
	Unknown         Unknown
}

func (*VPC) Kind() record.Kind { return KindVPC }
func (v *VPC) Key() string     { return v.Arn }

// ID is vpc-...
func (v *VPC) ID() ID { return idOf(v.Arn) }

// CIDRs are the VPC's address ranges, the primary one first.
func (v *VPC) CIDRs() (list []netip.Prefix) {
	for _, a := range v.Associations {
		if p, err := netip.ParsePrefix(a.CidrBlock); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// CidrAssociation is an address range of a VPC.
type CidrAssociation struct {
	AssociationID ID `json:"associationId"` // vpc-cidr-assoc-...
	CidrBlock     string
}

// Subnet is a subnet. Written by: api/ec2.
type Subnet struct {
	Arn                    string
	VpcID                  ID `json:"vpcId"`
	CidrBlock              string
	AvailabilityZone       string
	AvailabilityZoneID     string `json:"availabilityZoneId"`
	DefaultForAz           bool
	MapPublicIPOnLaunch    bool   `json:"mapPublicIpOnLaunch"`
	PrivateDNSHostnameType string `json:"privateDnsHostnameType"` // ip-name or resource-name
	ResourceNameDNS        bool   `json:"enableResourceNameDnsARecord"`
	NetworkACLAssociation  ID     `json:"networkAclAssociationId"` // aclassoc-...
	Tags                   []Tag
	CreatedAt              time.Time
	Unknown                Unknown
}

func (*Subnet) Kind() record.Kind { return KindSubnet }
func (s *Subnet) Key() string     { return s.Arn }

// ID is subnet-...
func (s *Subnet) ID() ID { return idOf(s.Arn) }

// Prefix is the subnet's address range.
func (s *Subnet) Prefix() netip.Prefix {
	p, _ := netip.ParsePrefix(s.CidrBlock)
	return p
}

// reserved is how many addresses of a subnet are AWS's own: the first four and the last.
const reserved = 5

// Addresses is how many addresses the subnet has for interfaces.
func (s *Subnet) Addresses() int { return 1<<(32-s.Prefix().Bits()) - reserved }

// Gateway is the subnet's first address, its router.
func (s *Subnet) Gateway() netip.Addr { return s.Prefix().Addr().Next() }

// Assignable reports whether interfaces may have an address: it is in the subnet, and not one of AWS's own.
func (s *Subnet) Assignable(a netip.Addr) bool {
	p := s.Prefix()
	if !a.Is4() || !p.Contains(a) {
		return false
	}
	n := number(a) - number(p.Addr())
	return n >= 4 && n < 1<<(32-p.Bits())-1
}

// Address is the n-th address that the subnet has for interfaces, from 0 on; n counts around.
func (s *Subnet) Address(n uint32) netip.Addr {
	return address(number(s.Prefix().Addr()) + 4 + n%uint32(s.Addresses()))
}

// Place is the inverse of Address.
func (s *Subnet) Place(a netip.Addr) uint32 { return number(a) - number(s.Prefix().Addr()) - 4 }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// DHCPOptions are a set of DHCP options. Written by: api/ec2.
type DHCPOptions struct {
	Arn            string
	Configurations []DHCPConfiguration
	Tags           []Tag
	Unknown        Unknown
}

func (*DHCPOptions) Kind() record.Kind { return KindDHCPOptions }
func (d *DHCPOptions) Key() string     { return d.Arn }

// ID is dopt-...
func (d *DHCPOptions) ID() ID { return idOf(d.Arn) }

// DHCPConfiguration is one option: domain-name, domain-name-servers, ...
type DHCPConfiguration struct {
	Key    string
	Values []string
}
