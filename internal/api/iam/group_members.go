package iam

import (
	"context"
	"fmt"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
)

// changeMembership stores what change makes of a copy of a user; the group must exist.
func (a *API) changeMembership(ctx context.Context, account, group, user string, change func(u *iam.User, g *iam.Group) error) error {
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := findGroup(tx.Tables, account, group)
		if err != nil {
			return err
		}
		old, err := findUser(tx.Tables, account, user)
		if err != nil {
			return err
		}
		u := *old
		u.Groups = slices.Clone(old.Groups)
		if err := change(&u, g); err != nil {
			return err
		}
		tx.Put(&u)
		return nil
	})
	if err != nil {
		return fmt.Errorf("change the groups of user %s: %w", user, err)
	}
	return nil
}

// addUserToGroup leaves a user that is in the group already as it is.
func (a *API) addUserToGroup(ctx context.Context, r *frontdoor.Request, in *awsiam.AddUserToGroupInput) (*awsiam.AddUserToGroupOutput, error) {
	err := a.changeMembership(ctx, r.Scope.Account, *in.GroupName, *in.UserName, func(u *iam.User, g *iam.Group) error {
		switch {
		case membership(u, g.Name) >= 0:
			return nil
		case len(u.Groups) >= mostMemberships:
			return quota("GroupsPerUser", mostMemberships)
		}
		u.Groups = append(u.Groups, g.Name)
		return nil
	})
	return &awsiam.AddUserToGroupOutput{}, err
}

// removeUserFromGroup leaves a user that is not in the group as it is.
func (a *API) removeUserFromGroup(
	ctx context.Context, r *frontdoor.Request, in *awsiam.RemoveUserFromGroupInput,
) (*awsiam.RemoveUserFromGroupOutput, error) {
	err := a.changeMembership(ctx, r.Scope.Account, *in.GroupName, *in.UserName, func(u *iam.User, g *iam.Group) error {
		if i := membership(u, g.Name); i >= 0 {
			u.Groups = slices.Delete(u.Groups, i, i+1)
		}
		return nil
	})
	return &awsiam.RemoveUserFromGroupOutput{}, err
}
