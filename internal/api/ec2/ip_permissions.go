package ec2

import (
	"strconv"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/state"
	"berth/internal/vpc"
)

// IpPermission are rules of a security group in a request: one for each of its peers.
type IpPermission struct {
	FromPort         *int32
	IpProtocol       *string
	IpRanges         []IpRange
	Ipv6Ranges       []Ipv6Range
	PrefixListIds    []PrefixListId
	ToPort           *int32
	UserIdGroupPairs []UserIdGroupPair `json:"Groups"`
}

// IpRange is a range of IPv4 addresses.
type IpRange struct{ CidrIp, Description *string }

// Ipv6Range is a range of IPv6 addresses. Nothing in a VPC of Berth has such an address: rules with one are kept and shown, and let nothing through.
type Ipv6Range struct{ CidrIpv6, Description *string }

// PrefixListId is a prefix list, which Berth does not have.
type PrefixListId struct{ Description, PrefixListId *string }

// UserIdGroupPair is a security group, by its id or, in the default VPC, by its name.
type UserIdGroupPair struct {
	Description            *string
	GroupId                *string
	GroupName              *string
	PeeringStatus          *string
	UserId                 *string
	VpcId                  *string
	VpcPeeringConnectionId *string
}

// ruler makes rules of a security group from what requests say.
type ruler struct {
	t      *state.Tables
	s      arn.Scope
	group  *vpc.SecurityGroup
	egress bool
}

// rules are the rules that IP permissions stand for, one for each peer, in their order. They have no ids yet.
func (r ruler) rules(permissions []IpPermission) (list []vpc.Rule, err error) {
	if len(permissions) == 0 {
		return nil, missing("ipPermissions")
	}
	for n, p := range permissions {
		rule, err := r.traffic(p.IpProtocol, p.FromPort, p.ToPort)
		if err != nil {
			return nil, err
		}
		if len(p.PrefixListIds) > 0 {
			return nil, unsupported("IpPermissions." + strconv.Itoa(n+1) + ".PrefixListIds")
		}
		peers, err := r.peers(rule, p)
		if err != nil {
			return nil, err
		}
		list = append(list, peers...)
	}
	return list, nil
}

// traffic is a rule without a peer.
func (r ruler) traffic(protocol *string, from, to *int32) (rule vpc.Rule, err error) {
	if text(protocol) == "" {
		return rule, invalid("Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.")
	}
	known, ok := vpc.Protocol(*protocol)
	if !ok {
		return rule, invalid("Invalid value '%.64s' for IP protocol. Unknown protocol.", *protocol)
	}
	first, last, err := vpc.Ports(known, from, to)
	return vpc.Rule{Egress: r.egress, Protocol: known, FromPort: first, ToPort: last}, err
}

// peers are a permission's rules.
func (r ruler) peers(traffic vpc.Rule, p IpPermission) (list []vpc.Rule, err error) {
	add := func(rule vpc.Rule, description *string, err error) error {
		rule.Egress, rule.Protocol, rule.FromPort, rule.ToPort = traffic.Egress, traffic.Protocol, traffic.FromPort, traffic.ToPort
		rule.Description = text(description)
		list = append(list, rule)
		if err != nil {
			return err
		}
		return described255(description)
	}
	for _, peer := range p.IpRanges {
		cidr, err := ruleRange("cidrIp", peer.CidrIp, false)
		if err := add(vpc.Rule{CidrIPv4: cidr}, peer.Description, err); err != nil {
			return nil, err
		}
	}
	for _, peer := range p.Ipv6Ranges {
		cidr, err := ruleRange("cidrIpv6", peer.CidrIpv6, true)
		if err := add(vpc.Rule{CidrIPv6: cidr}, peer.Description, err); err != nil {
			return nil, err
		}
	}
	for _, peer := range p.UserIdGroupPairs {
		id, err := r.named(peer)
		if err := add(vpc.Rule{GroupID: id}, peer.Description, err); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 {
		return nil, apierr.New("MissingParameter", "Missing source specification: include source security group or CIDR information")
	}
	return list, nil
}

// ruleRange reads the range of addresses in a parameter that a peer must have.
func ruleRange(parameter string, cidr *string, v6 bool) (string, error) {
	if text(cidr) == "" {
		return "", missing(parameter)
	}
	return vpc.RuleCIDR(*cidr, v6)
}

// described255 checks a rule's description.
func described255(description *string) error {
	if !vpc.Describes(text(description)) {
		return invalid("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
	}
	return nil
}

// named is the id of the group that a rule of another one names. There is no peering, so it is one of the same VPC and account.
func (r ruler) named(p UserIdGroupPair) (vpc.ID, error) {
	if text(p.VpcPeeringConnectionId) != "" {
		return "", unsupported("VpcPeeringConnectionId")
	}
	if text(p.GroupId) == "" && text(p.GroupName) == "" {
		return "", missing("groupId")
	}
	if text(p.UserId) != "" && *p.UserId != r.s.Account {
		return "", noGroup(text(p.GroupId) + text(p.GroupName))
	}
	id, name := p.GroupId, p.GroupName
	if text(id) != "" {
		name = nil // answers have both, and clients send them back
	}
	g, err := namedGroup(r.t, r.s, id, name)
	if err != nil {
		return "", err
	}
	if g.VpcID != r.group.VpcID {
		return "", apierr.New("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	return g.ID(), nil
}
