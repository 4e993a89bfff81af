package iam

import (
	"iter"
	"slices"

	"berth/internal/frontdoor"
	"berth/internal/iam"
	"berth/internal/state"
)

// mostGroups is how many groups an account may have.
const mostGroups = 300

// groupOperations are the operations on groups themselves and their members.
func (a *API) groupOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreateGroup", a.onGroup, a.createGroup, "GroupName"),
		operation("GetGroup", a.onGroup, a.getGroup, "GroupName"),
		operation("ListGroups", anything, a.listGroups),
		operation("UpdateGroup", a.onGroup, a.updateGroup, "GroupName"),
		operation("DeleteGroup", a.onGroup, a.deleteGroup, "GroupName"),
		operation("AddUserToGroup", a.onGroup, a.addUserToGroup, "GroupName", "UserName"),
		operation("RemoveUserFromGroup", a.onGroup, a.removeUserFromGroup, "GroupName", "UserName"),
		operation("ListGroupsForUser", a.onUser, a.listGroupsForUser, "UserName"),
	}
}

// members are the users of a group.
func members(t *state.Tables, g *iam.Group) iter.Seq[*iam.User] {
	return where(users(t, g.Account), func(u *iam.User) bool { return membership(u, g.Name) >= 0 })
}

// membership is where a user names a group, -1 for nowhere.
func membership(u *iam.User, group string) int {
	return slices.IndexFunc(u.Groups, func(name string) bool { return both(u.Account, name, group) })
}
