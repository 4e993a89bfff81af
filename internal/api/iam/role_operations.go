package iam

import (
	"context"
	"fmt"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// mostRoles is how many roles an account may have.
const mostRoles = 1000

// roleOperations are the operations on roles themselves.
func (a *API) roleOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreateRole", a.onRole, a.createRole, "RoleName", "AssumeRolePolicyDocument"),
		operation("GetRole", a.onRole, a.getRole, "RoleName"),
		operation("ListRoles", anything, a.listRoles),
		operation("UpdateRole", a.onRole, a.updateRole, "RoleName"),
		operation("UpdateRoleDescription", a.onRole, a.updateRoleDescription, "RoleName", "Description"),
		operation("UpdateAssumeRolePolicy", a.onRole, a.updateAssumeRolePolicy, "RoleName", "PolicyDocument"),
		operation("DeleteRole", a.onRole, a.deleteRole, "RoleName"),
	}
}

// changeRole stores what change makes of a copy of a role that is the account's own, and returns it.
func (a *API) changeRole(ctx context.Context, account, name string, change func(tx *state.Tx, r *iam.Role) error) (*iam.Role, error) {
	var changed *iam.Role
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := findOwnRole(tx.Tables, account, name)
		if err != nil {
			return err
		}
		c := *old
		if err := change(tx, &c); err != nil {
			return err
		}
		tx.Put(&c)
		changed = &c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("change role %s: %w", name, err)
	}
	return changed, nil
}
