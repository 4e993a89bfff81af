package iam

import (
	"context"
	"slices"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// inlinePolicyOperations are the operations on policies that are embedded in a user, group or role.
func (a *API) inlinePolicyOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("PutUserPolicy", a.onUser, a.putUserPolicy, "UserName", "PolicyName", "PolicyDocument"),
		operation("PutGroupPolicy", a.onGroup, a.putGroupPolicy, "GroupName", "PolicyName", "PolicyDocument"),
		operation("PutRolePolicy", a.onRole, a.putRolePolicy, "RoleName", "PolicyName", "PolicyDocument"),
		operation("GetUserPolicy", a.onUser, a.getUserPolicy, "UserName", "PolicyName"),
		operation("GetGroupPolicy", a.onGroup, a.getGroupPolicy, "GroupName", "PolicyName"),
		operation("GetRolePolicy", a.onRole, a.getRolePolicy, "RoleName", "PolicyName"),
		operation("ListUserPolicies", a.onUser, a.listUserPolicies, "UserName"),
		operation("ListGroupPolicies", a.onGroup, a.listGroupPolicies, "GroupName"),
		operation("ListRolePolicies", a.onRole, a.listRolePolicies, "RoleName"),
		operation("DeleteUserPolicy", a.onUser, a.deleteUserPolicy, "UserName", "PolicyName"),
		operation("DeleteGroupPolicy", a.onGroup, a.deleteGroupPolicy, "GroupName", "PolicyName"),
		operation("DeleteRolePolicy", a.onRole, a.deleteRolePolicy, "RoleName", "PolicyName"),
	}
}

// inline finds an inline policy by its name, without regard to case.
func inline(e *iam.Entity, name string) int {
	return slices.IndexFunc(e.Inline, func(p iam.Inline) bool { return strings.EqualFold(p.Name, name) })
}

func noInline(k kind, name string) error {
	return noSuch("The %s policy with name %s cannot be found.", k, name)
}

// putInline embeds a policy, in the place of one of the same name.
func (a *API) putInline(ctx context.Context, k kind, account, name string, p iam.Inline) error {
	if err := identityPolicy(p.Document); err != nil {
		return err
	}
	return a.change(ctx, k, account, name, func(_ *state.Tx, e *iam.Entity) error {
		e.Inline = slices.Clone(e.Inline)
		if i := inline(e, p.Name); i >= 0 {
			e.Inline[i].Document = p.Document
		} else {
			e.Inline = append(e.Inline, p)
		}
		slices.SortFunc(e.Inline, func(x, y iam.Inline) int { return strings.Compare(x.Name, y.Name) })
		return k.fits(e)
	})
}

// fits checks the size of all inline policies of an entity together.
func (k kind) fits(e *iam.Entity) error {
	most := map[kind]int{user: mostUserInline, group: mostGroupInline, role: mostRoleInline}[k]
	n := 0
	for _, p := range e.Inline {
		n += size(p.Document)
	}
	if n > most {
		return tooLong(most, string(k), e.Name)
	}
	return nil
}

// findInline finds an inline policy and whose it is.
func (a *API) findInline(k kind, account, name, policy string) (*iam.Entity, *iam.Inline, error) {
	e, err := k.view(a.store.View().Tables, account, name)
	if err != nil {
		return nil, nil, err
	}
	i := inline(e, policy)
	if i < 0 {
		return nil, nil, noInline(k, policy)
	}
	return e, &e.Inline[i], nil
}

// inlineNames are the names of an entity's inline policies.
func (a *API) inlineNames(k kind, account, name string, marker *string, maxItems *int32) (names []string, next *string, err error) {
	p, err := newPager(maxItems, marker)
	if err != nil {
		return nil, nil, err
	}
	e, err := k.view(a.store.View().Tables, account, name)
	if err != nil {
		return nil, nil, err
	}
	names, next = page(p, slices.Values(mapped(e.Inline, func(p iam.Inline) string { return p.Name })), self)
	return names, next, nil
}

// deleteInline takes an inline policy away.
func (a *API) deleteInline(ctx context.Context, k kind, account, name, policy string) error {
	return a.change(ctx, k, account, name, func(_ *state.Tx, e *iam.Entity) error {
		i := inline(e, policy)
		if i < 0 {
			return noInline(k, policy)
		}
		e.Inline = slices.Delete(slices.Clone(e.Inline), i, i+1)
		return nil
	})
}
