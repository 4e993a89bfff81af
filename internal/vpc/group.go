package vpc

import (
	"time"

	"berth/internal/record"
)

// SecurityGroup is a security group with its rules. Written by: api/ec2.
type SecurityGroup struct {
	Arn         string
	GroupName   string
	Description string
	VpcID       ID `json:"vpcId"`
	Rules       []Rule
	Tags        []Tag
	CreatedAt   time.Time
	Unknown     Unknown
}

func (*SecurityGroup) Kind() record.Kind { return KindSecurityGroup }
func (g *SecurityGroup) Key() string     { return g.Arn }

// ID is sg-...
func (g *SecurityGroup) ID() ID { return idOf(g.Arn) }

// Rule is a rule of a security group, with one peer: a range of addresses or a group.
type Rule struct {
	ID          ID `json:"securityGroupRuleId"` // sgr-...
	Egress      bool
	Protocol    string `json:"ipProtocol"` // tcp, udp, icmp, icmpv6, -1 for all, or a number
	FromPort    int32  `json:"fromPort"`   // ICMP: the type; -1 for all
	ToPort      int32  `json:"toPort"`     // ICMP: the code; -1 for all
	CidrIPv4    string `json:"cidrIpv4"`
	CidrIPv6    string `json:"cidrIpv6"` // lets nothing through: no interface has such an address
	GroupID     ID     `json:"referencedGroupId"`
	Description string
	Tags        []Tag
}

// Same reports whether two rules allow the same: their ids, descriptions and tags are left out.
func (r Rule) Same(o Rule) bool {
	return r.Egress == o.Egress && r.Protocol == o.Protocol && r.FromPort == o.FromPort && r.ToPort == o.ToPort &&
		r.CidrIPv4 == o.CidrIPv4 && r.CidrIPv6 == o.CidrIPv6 && r.GroupID == o.GroupID
}

// NetworkInterface is a network interface. Those of tasks are no records of their own: the store derives them from the tasks, so that an address is held
// exactly as long as its task is there. Written by: api/ec2.
type NetworkInterface struct {
	Arn              string
	VpcID            ID `json:"vpcId"`
	SubnetID         ID `json:"subnetId"`
	AvailabilityZone string
	Address          string `json:"privateIpAddress"`
	MAC              string `json:"macAddress"`
	Groups           []ID
	Description      string
	InterfaceType    string // interface or nat_gateway
	RequesterManaged bool
	SourceDestCheck  bool
	PublicIP         string `json:"publicIp"` // without an Elastic IP address: of a task with assignPublicIp
	Tags             []Tag
	ClientToken      string
	CreatedAt        time.Time

	Task     string `json:"-"` // the ARN of the task that it belongs to
	Instance string `json:"-"` // the ARN of the container instance that the task is on
	Attached bool   `json:"-"`

	Unknown Unknown
}

func (*NetworkInterface) Kind() record.Kind { return KindNetworkInterface }
func (n *NetworkInterface) Key() string     { return n.Arn }

// ID is eni-...
func (n *NetworkInterface) ID() ID { return idOf(n.Arn) }
