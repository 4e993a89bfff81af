package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type deleteSecurityGroupInput struct {
	DryRun    *bool
	GroupId   *string
	GroupName *string
}

type deleteSecurityGroupOutput struct {
	GroupId string
	Return  bool
}

// deleteSecurityGroup deletes a group that has no members and that no other group's rules name.
func (a *API) deleteSecurityGroup(ctx context.Context, r *frontdoor.Request, in *deleteSecurityGroupInput) (*deleteSecurityGroupOutput, error) {
	out := &deleteSecurityGroupOutput{Return: true}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := namedGroup(tx.Tables, r.Scope, in.GroupId, in.GroupName)
		switch {
		case err != nil:
			return err
		case g.GroupName == defaultGroup:
			return apierr.New("CannotDelete", `the specified group: "%s" name: "default" cannot be deleted by a user`, g.ID())
		case tx.Interfaces.InGroup(g.ID()) > 0 || isNamed(tx.Tables, r.Scope, g):
			return inUse("resource %s has a dependent object", g.ID())
		}
		tx.Delete(g)
		out.GroupId = g.ID()
		return nil
	})
}

// isNamed reports whether a rule of another group names this one.
func isNamed(t *state.Tables, s arn.Scope, g *vpc.SecurityGroup) bool {
	for other := range securityGroupsOf(t, s) {
		if other.VpcID == g.VpcID && other.Arn != g.Arn && other.Names(g.ID()) {
			return true
		}
	}
	return false
}
