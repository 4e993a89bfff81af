package iam

import (
	"context"
	"fmt"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// updateUser gives a user another name or path. Its id, its keys and all that it has go along.
func (a *API) updateUser(ctx context.Context, r *frontdoor.Request, in *awsiam.UpdateUserInput) (*awsiam.UpdateUserOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findUser(tx.Tables, r.Scope.Account, *in.UserName)
		if err != nil {
			return err
		}
		u := *old
		if in.NewPath != nil {
			u.Path = *in.NewPath
		}
		if in.NewUserName != nil {
			u.Name = *in.NewUserName
		}
		if u.Key() != old.Key() {
			if tx.Users.Get(u.Key()) != nil {
				return exists("User with name %s already exists.", u.Name)
			}
			tx.Delete(old)
		}
		for _, k := range slices.Collect(keys(tx.Tables, old)) {
			c := *k
			c.UserName = u.Name
			tx.Put(&c)
		}
		tx.Put(&u)
		return retrust(tx, old.ARN(), u.ARN())
	})
	if err != nil {
		return nil, fmt.Errorf("update user %s: %w", *in.UserName, err)
	}
	return &awsiam.UpdateUserOutput{}, nil
}
