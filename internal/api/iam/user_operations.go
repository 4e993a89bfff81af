package iam

import (
	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// IAM's limits on users.
const (
	mostUsers       = 5000
	mostKeys        = 2 // of a user
	mostMemberships = 10
)

// userOperations are the operations on users themselves and their access keys.
func (a *API) userOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation("CreateUser", a.onUser, a.createUser, "UserName"),
		operation("GetUser", a.onUser, a.getUser),
		operation("ListUsers", anything, a.listUsers),
		operation("UpdateUser", a.onUser, a.updateUser, "UserName"),
		operation("DeleteUser", a.onUser, a.deleteUser, "UserName"),
		operation("CreateAccessKey", a.onUser, a.createAccessKey),
		operation("ListAccessKeys", a.onUser, a.listAccessKeys),
		operation("UpdateAccessKey", a.onUser, a.updateAccessKey, "AccessKeyId", "Status"),
		operation("DeleteAccessKey", a.onUser, a.deleteAccessKey, "AccessKeyId"),
		operation("GetAccessKeyLastUsed", a.onKeyHolder, a.getAccessKeyLastUsed, "AccessKeyId"),
	}
}

// userName is the user that a request names, or the one that calls.
func userName(r *frontdoor.Request, named *string) (string, error) {
	if named != nil {
		return *named, nil
	}
	if name, is := callerName(r); is {
		return name, nil
	}
	return "", apierr.New("ValidationError", "Must specify userName when calling with non-User credentials")
}
