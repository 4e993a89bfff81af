package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// flatRule is a rule of a security group in the form that is older than IpPermissions.
type flatRule struct {
	CidrIp                     *string
	FromPort                   *int32
	IpProtocol                 *string
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	ToPort                     *int32
}

// given says which of its members a request has.
func (f flatRule) given() []given {
	return []given{
		{"CidrIp", f.CidrIp != nil}, {"FromPort", f.FromPort != nil}, {"IpProtocol", f.IpProtocol != nil}, {"ToPort", f.ToPort != nil},
		{"SourceSecurityGroupName", f.SourceSecurityGroupName != nil}, {"SourceSecurityGroupOwnerId", f.SourceSecurityGroupOwnerId != nil},
	}
}

// or are the IP permissions that a request for ingress has, in the one form or the other.
func (f flatRule) or(permissions []IpPermission) ([]IpPermission, error) {
	for _, m := range f.given() {
		switch {
		case !m.is:
		case len(permissions) > 0:
			return nil, combination("The parameter ipPermissions cannot be used with the parameter %s", m.member)
		case text(f.SourceSecurityGroupName) == "":
			return []IpPermission{f.ofRange()}, nil
		default:
			return f.ofGroup()
		}
	}
	return permissions, nil
}

func (f flatRule) ofRange() IpPermission {
	p := IpPermission{IpProtocol: f.IpProtocol, FromPort: f.FromPort, ToPort: f.ToPort}
	if text(f.CidrIp) != "" {
		p.IpRanges = []IpRange{{CidrIp: f.CidrIp}}
	}
	return p
}

// ofGroup are the permissions that the name of a group alone stands for: TCP, UDP and ICMP whole.
func (f flatRule) ofGroup() (list []IpPermission, err error) {
	for _, m := range f.given()[:4] {
		if m.is {
			return nil, combination("The parameter SourceSecurityGroupName cannot be used with the parameter %s", m.member)
		}
	}
	for _, p := range []struct {
		protocol string
		from, to int32
	}{{"tcp", 0, 65535}, {"udp", 0, 65535}, {"icmp", -1, -1}} {
		list = append(list, IpPermission{IpProtocol: &p.protocol, FromPort: &p.from, ToPort: &p.to,
			UserIdGroupPairs: []UserIdGroupPair{{GroupName: f.SourceSecurityGroupName, UserId: f.SourceSecurityGroupOwnerId}}})
	}
	return list, nil
}

// none refuses the form in a request for egress, which has it for nothing: EC2 takes only IpPermissions there.
func (f flatRule) none() error {
	for _, m := range f.given() {
		if m.is {
			return apierr.New("UnknownParameter", "The parameter %s is not recognized; use IpPermissions", m.member)
		}
	}
	return nil
}

type authorizeSecurityGroupIngressInput struct {
	CidrIp                     *string
	DryRun                     *bool
	FromPort                   *int32
	GroupId                    *string
	GroupName                  *string
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	TagSpecifications          []TagSpecification `json:"TagSpecification"`
	ToPort                     *int32
}

type authorizeSecurityGroupEgressInput struct {
	CidrIp                     *string
	DryRun                     *bool
	FromPort                   *int32
	GroupId                    *string
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	TagSpecifications          []TagSpecification `json:"TagSpecification"`
	ToPort                     *int32
}

type authorizedRules struct {
	Return             bool
	SecurityGroupRules []shownRule `json:"securityGroupRuleSet"`
}

func (a *API) authorizeSecurityGroupIngress(ctx context.Context, r *frontdoor.Request, in *authorizeSecurityGroupIngressInput) (*authorizedRules, error) {
	permissions, err := flatRule{in.CidrIp, in.FromPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId, in.ToPort}.or(in.IpPermissions)
	if err != nil {
		return nil, err
	}
	return a.authorize(ctx, r, groupRules{in.GroupId, in.GroupName, permissions, false}, in.TagSpecifications)
}

func (a *API) authorizeSecurityGroupEgress(ctx context.Context, r *frontdoor.Request, in *authorizeSecurityGroupEgressInput) (*authorizedRules, error) {
	flat := flatRule{in.CidrIp, in.FromPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId, in.ToPort}
	if err := flat.none(); err != nil {
		return nil, err
	}
	return a.authorize(ctx, r, groupRules{in.GroupId, nil, in.IpPermissions, true}, in.TagSpecifications)
}

// groupRules are rules of a security group, as a request names both.
type groupRules struct {
	id, name    *string
	permissions []IpPermission
	egress      bool
}

// find finds the group and makes the rules.
func (g groupRules) find(t *state.Tables, r *frontdoor.Request) (*vpc.SecurityGroup, []vpc.Rule, error) {
	group, err := namedGroup(t, r.Scope, g.id, g.name)
	if err != nil {
		return nil, nil, err
	}
	rules, err := ruler{t, r.Scope, group, g.egress}.rules(g.permissions)
	return group, rules, err
}

// authorize gives a security group rules, all or none.
func (a *API) authorize(ctx context.Context, r *frontdoor.Request, new groupRules, specifications []TagSpecification) (*authorizedRules, error) {
	tags, err := tagsFor("security-group-rule", specifications)
	if err != nil {
		return nil, err
	}
	out := &authorizedRules{Return: true}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		old, rules, err := new.find(tx.Tables, r)
		if err != nil {
			return err
		}
		for n := range rules {
			rules[n].ID, rules[n].Tags = newID("sgr-"), tags
		}
		g := *old
		if err := g.Add(rules); err != nil {
			return err
		}
		tx.Put(&g)
		out.SecurityGroupRules = []shownRule{}
		for n := range rules {
			out.SecurityGroupRules = append(out.SecurityGroupRules, showRule(r.Scope, placedRule{&rules[n], &g}))
		}
		return nil
	})
}
