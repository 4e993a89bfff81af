package iam

import (
	"context"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) getRole(_ context.Context, r *frontdoor.Request, in *awsiam.GetRoleInput) (*awsiam.GetRoleOutput, error) {
	role, err := findRole(a.store.View().Tables, r.Scope.Account, *in.RoleName)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetRoleOutput{Role: wholeRole(role)}, nil
}

func (a *API) listRoles(_ context.Context, r *frontdoor.Request, in *awsiam.ListRolesInput) (*awsiam.ListRolesOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	under := where(roles(a.store.View().Tables, r.Scope.Account), func(r *iam.Role) bool { return strings.HasPrefix(r.Path, text(in.PathPrefix)) })
	list, marker := page(p, under, (*iam.Role).Key)
	return &awsiam.ListRolesOutput{Roles: mapped(list, roleShape), Marker: marker, IsTruncated: marker != nil}, nil
}
