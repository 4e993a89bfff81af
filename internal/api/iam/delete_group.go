package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) deleteGroup(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteGroupInput) (*awsiam.DeleteGroupOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := findGroup(tx.Tables, r.Scope.Account, *in.GroupName)
		if err != nil {
			return err
		}
		for range members(tx.Tables, g) {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
		if err := bare(&g.Entity); err != nil {
			return err
		}
		tx.Delete(g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete group %s: %w", *in.GroupName, err)
	}
	return &awsiam.DeleteGroupOutput{}, nil
}
