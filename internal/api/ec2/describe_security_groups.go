package ec2

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeSecurityGroupsInput struct {
	DryRun     *bool
	Filters    []Filter `json:"Filter"`
	GroupIds   []string `json:"GroupId"`
	GroupNames []string `json:"GroupName"`
	MaxResults *int32
	NextToken  *string
}

type describeSecurityGroupsOutput struct {
	NextToken      *string
	SecurityGroups []shownGroup `json:"securityGroupInfo"`
}

func (a *API) describeSecurityGroups(_ context.Context, r *frontdoor.Request, in *describeSecurityGroupsInput) (*describeSecurityGroupsOutput, error) {
	t := a.store.View().Tables
	ids := slices.Clone(in.GroupIds)
	for _, name := range in.GroupNames {
		g, err := namedGroup(t, r.Scope, nil, &name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, g.ID())
	}
	list, next, err := described[*vpc.SecurityGroup, shownGroup]{
		filters: `description egress.ip-permission.cidr egress.ip-permission.from-port egress.ip-permission.group-id egress.ip-permission.group-name
			egress.ip-permission.ipv6-cidr egress.ip-permission.prefix-list-id egress.ip-permission.protocol egress.ip-permission.to-port
			egress.ip-permission.user-id group-id group-name ip-permission.cidr ip-permission.from-port ip-permission.group-id ip-permission.group-name
			ip-permission.ipv6-cidr ip-permission.prefix-list-id ip-permission.protocol ip-permission.to-port ip-permission.user-id owner-id vpc-id`,
		kind: vpc.KindSecurityGroup, find: findGroup, facts: groupFacts, show: showGroup,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.SecurityGroup] {
			return t.SecurityGroups.Under(prefix, start)
		},
	}.page(t, r.Scope, asked{in.Filters, ids, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeSecurityGroupsOutput{SecurityGroups: list, NextToken: next}, nil
}

func groupFacts(t *state.Tables, s arn.Scope, g *vpc.SecurityGroup) facts {
	f := facts{"description": {g.Description}, "group-id": {g.ID()}, "group-name": {g.GroupName}, "owner-id": {s.Account}, "vpc-id": {g.VpcID}}
	for _, r := range g.Rules {
		direction := "ip-permission."
		if r.Egress {
			direction = "egress.ip-permission."
		}
		f.add(direction+"cidr", r.CidrIPv4)
		f.add(direction+"ipv6-cidr", r.CidrIPv6)
		f.add(direction+"protocol", r.Protocol)
		if vpc.HasPorts(r.Protocol) {
			f.add(direction+"from-port", strconv.Itoa(int(r.FromPort)))
			f.add(direction+"to-port", strconv.Itoa(int(r.ToPort)))
		}
		if peer := t.SecurityGroups.Get(vpc.ARN(s, vpc.KindSecurityGroup, r.GroupID)); peer != nil {
			f.add(direction+"group-id", peer.ID())
			f.add(direction+"group-name", peer.GroupName)
			f.add(direction+"user-id", s.Account)
		}
	}
	return f.tagged(g.Tags)
}
