package ec2

import (
	"context"
	"slices"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type updateSecurityGroupRuleDescriptionsInput struct {
	DryRun                        *bool
	GroupId                       *string
	GroupName                     *string
	IpPermissions                 []IpPermission
	SecurityGroupRuleDescriptions []SecurityGroupRuleDescription `json:"SecurityGroupRuleDescription"`
}

// SecurityGroupRuleDescription is a rule's new description. Without one the rule has none any more.
type SecurityGroupRuleDescription struct{ Description, SecurityGroupRuleId *string }

func (a *API) updateSecurityGroupRuleDescriptionsIngress(ctx context.Context, r *frontdoor.Request, in *updateSecurityGroupRuleDescriptionsInput) (*Done, error) {
	return a.describe(ctx, r, in, false)
}

func (a *API) updateSecurityGroupRuleDescriptionsEgress(ctx context.Context, r *frontdoor.Request, in *updateSecurityGroupRuleDescriptionsInput) (*Done, error) {
	return a.describe(ctx, r, in, true)
}

// describe gives rules of a group new descriptions, all or none.
func (a *API) describe(ctx context.Context, r *frontdoor.Request, in *updateSecurityGroupRuleDescriptionsInput, egress bool) (*Done, error) {
	switch {
	case len(in.IpPermissions) > 0 && len(in.SecurityGroupRuleDescriptions) > 0:
		return nil, combination("The parameter securityGroupRuleDescriptions cannot be used with the parameter ipPermissions")
	case len(in.IpPermissions) == 0 && len(in.SecurityGroupRuleDescriptions) == 0:
		return nil, apierr.New("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.")
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedGroup(tx.Tables, r.Scope, in.GroupId, in.GroupName)
		if err != nil {
			return err
		}
		g := *old
		g.Rules = slices.Clone(old.Rules)
		if len(in.IpPermissions) > 0 {
			err = byWhatTheyAre(ruler{tx.Tables, r.Scope, &g, egress}, in.IpPermissions)
		} else {
			err = byID(&g, in.SecurityGroupRuleDescriptions, egress)
		}
		if err != nil {
			return err
		}
		tx.Put(&g)
		return nil
	})
}

func byWhatTheyAre(r ruler, permissions []IpPermission) error {
	rules, err := r.rules(permissions)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		n := slices.IndexFunc(r.group.Rules, func(o vpc.Rule) bool { return o.Same(rule) })
		if n < 0 {
			return apierr.New("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		r.group.Rules[n].Description = rule.Description
	}
	return nil
}

func byID(g *vpc.SecurityGroup, descriptions []SecurityGroupRuleDescription, egress bool) error {
	for _, d := range descriptions {
		if text(d.SecurityGroupRuleId) == "" {
			return missing("SecurityGroupRuleDescription.1.SecurityGroupRuleId")
		}
		n, err := ruleOf(g, egress, *d.SecurityGroupRuleId)
		if err != nil {
			return err
		}
		if err := described255(d.Description); err != nil {
			return err
		}
		g.Rules[n].Description = text(d.Description)
	}
	return nil
}
