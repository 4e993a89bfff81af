package iam

import (
	"context"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// getUser shows the user that calls where the request names none.
func (a *API) getUser(_ context.Context, r *frontdoor.Request, in *awsiam.GetUserInput) (*awsiam.GetUserOutput, error) {
	name, err := userName(r, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := findUser(a.store.View().Tables, r.Scope.Account, name)
	if err != nil {
		return nil, err
	}
	return &awsiam.GetUserOutput{User: wholeUser(u)}, nil
}

func (a *API) listUsers(_ context.Context, r *frontdoor.Request, in *awsiam.ListUsersInput) (*awsiam.ListUsersOutput, error) {
	p, err := newPager(in.MaxItems, in.Marker)
	if err != nil {
		return nil, err
	}
	under := where(users(a.store.View().Tables, r.Scope.Account), func(u *iam.User) bool { return strings.HasPrefix(u.Path, text(in.PathPrefix)) })
	list, marker := page(p, under, (*iam.User).Key)
	return &awsiam.ListUsersOutput{Users: mapped(list, userShape), Marker: marker, IsTruncated: marker != nil}, nil
}
