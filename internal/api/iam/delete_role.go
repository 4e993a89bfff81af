package iam

import (
	"context"
	"fmt"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

func (a *API) deleteRole(ctx context.Context, r *frontdoor.Request, in *awsiam.DeleteRoleInput) (*awsiam.DeleteRoleOutput, error) {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		role, err := findOwnRole(tx.Tables, r.Scope.Account, *in.RoleName)
		if err != nil {
			return err
		}
		if err := bare(&role.Entity); err != nil {
			return err
		}
		for p := range profiles(tx.Tables, role.Account) {
			if strings.EqualFold(p.Role, role.Name) {
				return conflict("Cannot delete entity, must remove roles from instance profile first.")
			}
		}
		tx.Delete(role)
		return retrust(tx, role.ARN(), role.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("delete role %s: %w", *in.RoleName, err)
	}
	return &awsiam.DeleteRoleOutput{}, nil
}

// bare checks that an entity has no policies: otherwise it cannot be deleted.
func bare(e *iam.Entity) error {
	switch {
	case len(e.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
