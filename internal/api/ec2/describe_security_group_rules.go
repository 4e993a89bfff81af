package ec2

import (
	"context"
	"iter"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeSecurityGroupRulesInput struct {
	DryRun               *bool
	Filters              []Filter `json:"Filter"`
	MaxResults           *int32
	NextToken            *string
	SecurityGroupRuleIds []string `json:"SecurityGroupRuleId"`
}

type describeSecurityGroupRulesOutput struct {
	NextToken          *string
	SecurityGroupRules []shownRule `json:"securityGroupRuleSet"`
}

type shownRule struct {
	CidrIpv4             string
	CidrIpv6             string
	Description          string
	FromPort             int32
	GroupId              string
	GroupOwnerId         string
	IpProtocol           string
	IsEgress             bool
	ReferencedGroupInfo  *referencedGroup
	SecurityGroupRuleArn string
	SecurityGroupRuleId  string
	TagSet               []Tag
	ToPort               int32
}

type referencedGroup struct{ GroupId, UserId string }

// placedRule is a rule with the group that has it.
type placedRule struct {
	*vpc.Rule
	group *vpc.SecurityGroup
}

// Key places a rule among all of them: by group, then by id.
func (r placedRule) Key() string { return r.group.Arn + "/" + r.Rule.ID }

// ID is sgr-...
func (r placedRule) ID() vpc.ID { return r.Rule.ID }

func (a *API) describeSecurityGroupRules(_ context.Context, r *frontdoor.Request, in *describeSecurityGroupRulesInput) (*describeSecurityGroupRulesOutput, error) {
	list, next, err := described[placedRule, shownRule]{
		filters: "group-id security-group-rule-id",
		kind:    vpc.KindSecurityGroup, find: findRule, rows: rulesUnder,
		show: func(_ *state.Tables, s arn.Scope, r placedRule) shownRule { return showRule(s, r) },
		facts: func(_ *state.Tables, _ arn.Scope, r placedRule) facts {
			return facts{"group-id": {r.group.ID()}, "security-group-rule-id": {r.ID()}}.tagged(r.Tags)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.SecurityGroupRuleIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeSecurityGroupRulesOutput{SecurityGroupRules: list, NextToken: next}, nil
}

// rulesUnder yields rules in the order of their keys, from those of the group in start on.
func rulesUnder(t *state.Tables, prefix, start string) iter.Seq[placedRule] {
	if n := strings.LastIndexByte(start, '/'); n > len(prefix) {
		start = start[:n]
	}
	return func(yield func(placedRule) bool) {
		for g := range t.SecurityGroups.Under(prefix, start) {
			rules := slices.Clone(g.Rules)
			slices.SortFunc(rules, func(x, y vpc.Rule) int { return strings.Compare(x.ID, y.ID) })
			for n := range rules {
				if !yield(placedRule{&rules[n], g}) {
					return
				}
			}
		}
	}
}

// findRule finds the rule of a security group that a request names.
func findRule(t *state.Tables, s arn.Scope, id string) (placedRule, error) {
	if err := wellFormed("sgr-", "SecurityGroupRuleId", id); err != nil {
		return placedRule{}, err
	}
	for g := range securityGroupsOf(t, s) {
		for n := range g.Rules {
			if g.Rules[n].ID == id {
				return placedRule{&g.Rules[n], g}, nil
			}
		}
	}
	return placedRule{}, noRule(id)
}

func noRule(id string) error {
	return apierr.New("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
}

func showRule(s arn.Scope, r placedRule) shownRule {
	out := shownRule{
		CidrIpv4: r.CidrIPv4, CidrIpv6: r.CidrIPv6, Description: r.Description, FromPort: r.FromPort, GroupId: r.group.ID(), GroupOwnerId: s.Account,
		IpProtocol: r.Protocol, IsEgress: r.Egress, SecurityGroupRuleArn: vpc.ARN(s, "security-group-rule", r.ID()), SecurityGroupRuleId: r.ID(),
		TagSet: shown(r.Tags), ToPort: r.ToPort,
	}
	if r.GroupID != "" {
		out.ReferencedGroupInfo = &referencedGroup{GroupId: r.GroupID, UserId: s.Account}
	}
	return out
}
