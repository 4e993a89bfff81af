package iam

import (
	"context"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// getGroup shows a group and its members, in pages.
func (a *API) getGroup(_ context.Context, r *frontdoor.Request, in *awsiam.GetGroupInput) (*awsiam.GetGroupOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	g, err := findGroup(t, r.Scope.Account, *in.GroupName)
	if err != nil {
		return nil, err
	}
	list, marker := page(p, members(t, g), (*iam.User).Key)
	return &awsiam.GetGroupOutput{Group: new(groupShape(g)), Users: mapped(list, userShape), Marker: marker, IsTruncated: marker != nil}, nil
}

func (a *API) listGroups(_ context.Context, r *frontdoor.Request, in *awsiam.ListGroupsInput) (*awsiam.ListGroupsOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	under := where(groups(a.store.View().Tables, r.Scope.Account), func(g *iam.Group) bool { return strings.HasPrefix(g.Path, text(in.PathPrefix)) })
	list, marker := page(p, under, (*iam.Group).Key)
	return &awsiam.ListGroupsOutput{Groups: mapped(list, groupShape), Marker: marker, IsTruncated: marker != nil}, nil
}

// listGroupsForUser shows the groups that a user is in, by name.
func (a *API) listGroupsForUser(_ context.Context, r *frontdoor.Request, in *awsiam.ListGroupsForUserInput) (*awsiam.ListGroupsForUserOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	t := a.store.View().Tables
	u, err := findUser(t, r.Scope.Account, *in.UserName)
	if err != nil {
		return nil, err
	}
	list, marker := page(p, where(groups(t, r.Scope.Account), func(g *iam.Group) bool { return membership(u, g.Name) >= 0 }), (*iam.Group).Key)
	return &awsiam.ListGroupsForUserOutput{Groups: mapped(list, groupShape), Marker: marker, IsTruncated: marker != nil}, nil
}
