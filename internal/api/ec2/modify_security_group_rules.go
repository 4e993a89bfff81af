package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type modifySecurityGroupRulesInput struct {
	DryRun             *bool
	GroupId            *string
	SecurityGroupRules []SecurityGroupRuleUpdate `json:"SecurityGroupRule"`
}

// SecurityGroupRuleUpdate is a rule, and what it becomes.
type SecurityGroupRuleUpdate struct {
	SecurityGroupRule   *SecurityGroupRuleRequest
	SecurityGroupRuleId *string
}

// SecurityGroupRuleRequest is what a rule becomes.
type SecurityGroupRuleRequest struct {
	CidrIpv4          *string
	CidrIpv6          *string
	Description       *string
	FromPort          *int32
	IpProtocol        *string
	PrefixListId      *string
	ReferencedGroupId *string
	ToPort            *int32
}

// modifySecurityGroupRules replaces rules of a group, all or none. They keep their ids, tags, directions and the kind of their peers.
func (a *API) modifySecurityGroupRules(ctx context.Context, r *frontdoor.Request, in *modifySecurityGroupRulesInput) (*Done, error) {
	switch {
	case text(in.GroupId) == "":
		return nil, missing("GroupId")
	case len(in.SecurityGroupRules) == 0:
		return nil, missing("SecurityGroupRule")
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findGroup(tx.Tables, r.Scope, *in.GroupId)
		if err != nil {
			return err
		}
		g := *old
		g.Rules = slices.Clone(old.Rules)
		for _, u := range in.SecurityGroupRules {
			if err := u.apply(ruler{t: tx.Tables, s: r.Scope, group: &g}); err != nil {
				return err
			}
		}
		if err := unlike(&g); err != nil {
			return err
		}
		tx.Put(&g)
		return nil
	})
}

// apply changes the rule of the ruler's group.
func (u SecurityGroupRuleUpdate) apply(r ruler) error {
	switch {
	case text(u.SecurityGroupRuleId) == "":
		return missing("SecurityGroupRule.1.SecurityGroupRuleId")
	case u.SecurityGroupRule == nil:
		return missing("SecurityGroupRule.1.SecurityGroupRule")
	}
	id := *u.SecurityGroupRuleId
	if err := wellFormed("sgr-", "SecurityGroupRuleId", id); err != nil {
		return err
	}
	n := slices.IndexFunc(r.group.Rules, func(rule vpc.Rule) bool { return rule.ID == id })
	if n < 0 {
		return noRule(id)
	}
	old := r.group.Rules[n]
	r.egress = old.Egress
	rule, err := u.SecurityGroupRule.rule(r)
	if err != nil {
		return err
	}
	if is, was := kindOfPeer(rule), kindOfPeer(old); is != was {
		return invalid("Invalid rule type for security group rule '%s'. You may not specify %s for an existing %s rule.", id, is.member, was.words)
	}
	rule.ID, rule.Tags = old.ID, old.Tags
	r.group.Rules[n] = rule
	return nil
}

// rule is the new rule.
func (q *SecurityGroupRuleRequest) rule(r ruler) (rule vpc.Rule, err error) {
	switch given := slices.DeleteFunc([]string{text(q.CidrIpv4), text(q.CidrIpv6), text(q.PrefixListId), text(q.ReferencedGroupId)}, func(s string) bool { return s == "" }); {
	case text(q.PrefixListId) != "":
		return rule, unsupported("PrefixListId")
	case len(given) > 1:
		return rule, combination("Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified")
	case len(given) == 0:
		return rule, apierr.New("MissingParameter", "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId")
	}
	p := IpPermission{}
	switch {
	case text(q.CidrIpv4) != "":
		p.IpRanges = []IpRange{{q.CidrIpv4, q.Description}}
	case text(q.CidrIpv6) != "":
		p.Ipv6Ranges = []Ipv6Range{{q.CidrIpv6, q.Description}}
	default:
		p.UserIdGroupPairs = []UserIdGroupPair{{GroupId: q.ReferencedGroupId, Description: q.Description}}
	}
	p.IpProtocol, p.FromPort, p.ToPort = q.IpProtocol, q.FromPort, q.ToPort
	rules, err := r.rules([]IpPermission{p})
	if err != nil {
		return rule, err
	}
	return rules[0], nil
}

// peerKind is what kind of peer a rule has, as a request says it and in words.
type peerKind struct{ member, words string }

func kindOfPeer(r vpc.Rule) peerKind {
	switch {
	case r.GroupID != "":
		return peerKind{"ReferencedGroupId", "security group"}
	case r.CidrIPv6 != "":
		return peerKind{"CidrIpv6", "IPv6 CIDR"}
	}
	return peerKind{"CidrIpv4", "IPv4 CIDR"}
}

// unlike checks that no two rules of a group are the same.
func unlike(g *vpc.SecurityGroup) error {
	for _, r := range g.Rules {
		if g.Find(r) != r.ID {
			return apierr.New("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, r)
		}
	}
	return nil
}
