package ec2

import (
	"iter"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// securityGroupOperations are the operations on security groups and their rules.
func (a *API) securityGroupOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AuthorizeSecurityGroupEgress", a.authorizeSecurityGroupEgress),
		operation(a, "AuthorizeSecurityGroupIngress", a.authorizeSecurityGroupIngress),
		operation(a, "CreateSecurityGroup", a.createSecurityGroup),
		operation(a, "DeleteSecurityGroup", a.deleteSecurityGroup),
		operation(a, "DescribeSecurityGroupReferences", a.describeSecurityGroupReferences),
		operation(a, "DescribeSecurityGroupRules", a.describeSecurityGroupRules),
		operation(a, "DescribeSecurityGroups", a.describeSecurityGroups),
		operation(a, "DescribeStaleSecurityGroups", a.describeStaleSecurityGroups),
		operation(a, "ModifySecurityGroupRules", a.modifySecurityGroupRules),
		operation(a, "RevokeSecurityGroupEgress", a.revokeSecurityGroupEgress),
		operation(a, "RevokeSecurityGroupIngress", a.revokeSecurityGroupIngress),
		operation(a, "UpdateSecurityGroupRuleDescriptionsEgress", a.updateSecurityGroupRuleDescriptionsEgress),
		operation(a, "UpdateSecurityGroupRuleDescriptionsIngress", a.updateSecurityGroupRuleDescriptionsIngress),
	}
}

// mostSecurityGroups is AWS's quota on the security groups of an account's region.
const mostSecurityGroups = 2500

// securityGroupsOf are the security groups of an account's region.
func securityGroupsOf(t *state.Tables, s arn.Scope) iter.Seq[*vpc.SecurityGroup] {
	return t.SecurityGroups.Under(vpc.Prefix(s, vpc.KindSecurityGroup), "")
}

func noGroup(id string) error { return notFound("Group", "security group", id) }

// findGroup finds the security group that a request names by its id.
func findGroup(t *state.Tables, s arn.Scope, id string) (*vpc.SecurityGroup, error) {
	if err := wellFormed("sg-", "GroupId", id); err != nil {
		return nil, err
	}
	g := t.SecurityGroups.Get(vpc.ARN(s, vpc.KindSecurityGroup, id))
	if g == nil {
		return nil, noGroup(id)
	}
	return g, nil
}

// namedGroup finds the security group that a request names: by its id, or by its name in the default VPC.
func namedGroup(t *state.Tables, s arn.Scope, id, name *string) (*vpc.SecurityGroup, error) {
	switch {
	case text(id) == "" && text(name) == "":
		return nil, missing("GroupName or GroupId")
	case text(id) != "" && text(name) != "":
		return nil, combination("The parameter GroupName cannot be used with the parameter GroupId")
	case text(id) != "":
		return findGroup(t, s, *id)
	}
	v := defaultVPC(t, s)
	if v == nil {
		return nil, noDefaultVPC()
	}
	g := groupNamed(t, s, v.ID(), *name)
	if g == nil {
		return nil, apierr.New("InvalidGroup.NotFound", "The security group '%.255s' does not exist in default VPC '%s'", *name, v.ID())
	}
	return g, nil
}

func noDefaultVPC() error { return apierr.New("VPCIdNotSpecified", "No default VPC for this user") }

// groupNamed is a VPC's security group with that name, nil if there is none. Names differ by more than upper and lower case.
func groupNamed(t *state.Tables, s arn.Scope, vpcID vpc.ID, name string) *vpc.SecurityGroup {
	for g := range securityGroupsOf(t, s) {
		if g.VpcID == vpcID && strings.EqualFold(g.GroupName, name) {
			return g
		}
	}
	return nil
}

type shownGroup struct {
	GroupDescription    string
	GroupId             string
	GroupName           string
	IpPermissions       []shownPermission
	IpPermissionsEgress []shownPermission
	OwnerId             string
	SecurityGroupArn    string
	TagSet              []Tag
	VpcId               string
}

type shownPermission struct {
	FromPort      *int32
	Groups        []shownPair
	IpProtocol    string
	IpRanges      []shownRange
	Ipv6Ranges    []shownRange6
	PrefixListIds []string
	ToPort        *int32
}

type shownPair struct{ Description, GroupId, UserId string }

type shownRange struct{ CidrIp, Description string }

type shownRange6 struct{ CidrIpv6, Description string }

func showGroup(_ *state.Tables, s arn.Scope, g *vpc.SecurityGroup) shownGroup {
	return shownGroup{
		GroupDescription: g.Description, GroupId: g.ID(), GroupName: g.GroupName, IpPermissions: showPermissions(s, g.Permissions(false)),
		IpPermissionsEgress: showPermissions(s, g.Permissions(true)), OwnerId: s.Account, SecurityGroupArn: g.Arn, TagSet: shown(g.Tags), VpcId: g.VpcID,
	}
}

func showPermissions(s arn.Scope, permissions []vpc.Permission) []shownPermission {
	list := []shownPermission{}
	for _, p := range permissions {
		out := shownPermission{IpProtocol: p.Protocol, Groups: []shownPair{}, IpRanges: []shownRange{}, Ipv6Ranges: []shownRange6{}, PrefixListIds: []string{}}
		if vpc.HasPorts(p.Protocol) {
			out.FromPort, out.ToPort = &p.FromPort, &p.ToPort
		}
		for _, r := range p.Rules {
			switch {
			case r.GroupID != "":
				out.Groups = append(out.Groups, shownPair{Description: r.Description, GroupId: r.GroupID, UserId: s.Account})
			case r.CidrIPv6 != "":
				out.Ipv6Ranges = append(out.Ipv6Ranges, shownRange6{r.CidrIPv6, r.Description})
			default:
				out.IpRanges = append(out.IpRanges, shownRange{r.CidrIPv4, r.Description})
			}
		}
		list = append(list, out)
	}
	return list
}
