package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type revokeSecurityGroupIngressInput struct {
	CidrIp                     *string
	DryRun                     *bool
	FromPort                   *int32
	GroupId                    *string
	GroupName                  *string
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SecurityGroupRuleIds       []string `json:"SecurityGroupRuleId"`
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	ToPort                     *int32
}

type revokeSecurityGroupEgressInput struct {
	CidrIp                     *string
	DryRun                     *bool
	FromPort                   *int32
	GroupId                    *string
	IpPermissions              []IpPermission
	IpProtocol                 *string
	SecurityGroupRuleIds       []string `json:"SecurityGroupRuleId"`
	SourceSecurityGroupName    *string
	SourceSecurityGroupOwnerId *string
	ToPort                     *int32
}

type revokedRules struct {
	Return                    bool
	RevokedSecurityGroupRules []revokedRule     `json:"revokedSecurityGroupRuleSet"`
	UnknownIpPermissions      []shownPermission `json:"unknownIpPermissionSet"`
}

type revokedRule struct {
	CidrIpv4            string
	CidrIpv6            string
	Description         string
	FromPort            int32
	GroupId             string
	IpProtocol          string
	IsEgress            bool
	ReferencedGroupId   string
	SecurityGroupRuleId string
	ToPort              int32
}

func (a *API) revokeSecurityGroupIngress(ctx context.Context, r *frontdoor.Request, in *revokeSecurityGroupIngressInput) (*revokedRules, error) {
	permissions, err := flatRule{in.CidrIp, in.FromPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId, in.ToPort}.or(in.IpPermissions)
	if err != nil {
		return nil, err
	}
	return a.revoke(ctx, r, groupRules{in.GroupId, in.GroupName, permissions, false}, in.SecurityGroupRuleIds)
}

func (a *API) revokeSecurityGroupEgress(ctx context.Context, r *frontdoor.Request, in *revokeSecurityGroupEgressInput) (*revokedRules, error) {
	flat := flatRule{in.CidrIp, in.FromPort, in.IpProtocol, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId, in.ToPort}
	if err := flat.none(); err != nil {
		return nil, err
	}
	return a.revoke(ctx, r, groupRules{in.GroupId, nil, in.IpPermissions, true}, in.SecurityGroupRuleIds)
}

// revoke takes rules from a security group, which a request names by their ids or by what they are. In the default VPC those that are not there are told in
// the answer; elsewhere they are an error, and nothing is revoked.
func (a *API) revoke(ctx context.Context, r *frontdoor.Request, old groupRules, ids []string) (*revokedRules, error) {
	switch {
	case len(ids) > 0 && len(old.permissions) > 0:
		return nil, combination("The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions")
	case len(ids) == 0 && len(old.permissions) == 0:
		return nil, apierr.New("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	out := &revokedRules{Return: true}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		g, going, unknown, err := old.revoked(tx.Tables, r, ids)
		if err != nil {
			return err
		}
		if len(unknown) > 0 && !isInDefaultVPC(tx.Tables, r.Scope, g) {
			return apierr.New("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		out.show(r.Scope, g, going, unknown)
		left := *g
		left.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(rule vpc.Rule) bool { return slices.Contains(going, rule.ID) })
		if len(going) > 0 {
			tx.Put(&left)
		}
		return nil
	})
}

// revoked are the ids of the rules that a request means, and those of its rules that are not there.
func (g groupRules) revoked(t *state.Tables, r *frontdoor.Request, ids []string) (group *vpc.SecurityGroup, going []vpc.ID, unknown []vpc.Rule, err error) {
	if len(ids) > 0 {
		if group, err = namedGroup(t, r.Scope, g.id, g.name); err != nil {
			return nil, nil, nil, err
		}
		for _, id := range ids {
			if _, err := ruleOf(group, g.egress, id); err != nil {
				return nil, nil, nil, err
			}
		}
		return group, ids, nil, nil
	}
	group, rules, err := g.find(t, r)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, rule := range rules {
		if id := group.Find(rule); id != "" {
			going = append(going, id)
		} else {
			unknown = append(unknown, rule)
		}
	}
	return group, going, unknown, nil
}

// ruleOf is the place of a group's rule of a direction.
func ruleOf(g *vpc.SecurityGroup, egress bool, id string) (int, error) {
	if err := wellFormed("sgr-", "SecurityGroupRuleId", id); err != nil {
		return 0, err
	}
	n := slices.IndexFunc(g.Rules, func(r vpc.Rule) bool { return r.ID == id && r.Egress == egress })
	if n < 0 {
		return 0, noRule(id)
	}
	return n, nil
}

func isInDefaultVPC(t *state.Tables, s arn.Scope, g *vpc.SecurityGroup) bool {
	v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, g.VpcID))
	return v != nil && v.IsDefault
}

func (out *revokedRules) show(s arn.Scope, g *vpc.SecurityGroup, going []vpc.ID, unknown []vpc.Rule) {
	out.RevokedSecurityGroupRules = []revokedRule{}
	for _, r := range g.Rules {
		if slices.Contains(going, r.ID) {
			out.RevokedSecurityGroupRules = append(out.RevokedSecurityGroupRules, revokedRule{
				CidrIpv4: r.CidrIPv4, CidrIpv6: r.CidrIPv6, Description: r.Description, FromPort: r.FromPort, GroupId: g.ID(), IpProtocol: r.Protocol,
				IsEgress: r.Egress, ReferencedGroupId: r.GroupID, SecurityGroupRuleId: r.ID, ToPort: r.ToPort,
			})
		}
	}
	egress := len(unknown) > 0 && unknown[0].Egress
	out.UnknownIpPermissions = showPermissions(s, (&vpc.SecurityGroup{Rules: unknown}).Permissions(egress))
}
