package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) createUser(ctx context.Context, r *frontdoor.Request, in *awsiam.CreateUserInput) (*awsiam.CreateUserOutput, error) {
	e, err := newEntity(userPrefix, r.Scope.Account, *in.UserName, in.Path, in.Tags)
	if err != nil {
		return nil, err
	}
	e.Boundary = text(in.PermissionsBoundary)
	u := &iam.User{Entity: e}
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		if tx.Users.Get(u.Key()) != nil {
			return exists("User with name %s already exists.", u.Name)
		}
		if err := a.checkBoundary(tx.Tables, u.Account, u.Boundary); err != nil {
			return err
		}
		if count(users(tx.Tables, u.Account)) >= mostUsers {
			return quota("UsersPerAccount", mostUsers)
		}
		tx.Put(u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create user %s: %w", u.Name, err)
	}
	return &awsiam.CreateUserOutput{User: wholeUser(u)}, nil
}
