package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) deleteUser(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteUserInput) (*awsiam.DeleteUserOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		u, err := findUser(tx.Tables, r.Scope.Account, *in.UserName)
		if err != nil {
			return err
		}
		if len(u.Groups) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := bare(&u.Entity); err != nil {
			return err
		}
		if count(keys(tx.Tables, u)) > 0 {
			return conflict("Cannot delete entity, must delete access keys first.")
		}
		tx.Delete(u)
		return retrust(tx, u.ARN(), u.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("delete user %s: %w", *in.UserName, err)
	}
	return &awsiam.DeleteUserOutput{}, nil
}
