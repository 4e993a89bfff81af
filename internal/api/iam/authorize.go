package iam

import (
	"reflect"
	"strings"

	"berth/internal/frontdoor"
	"berth/internal/iam"
)

// resources are the ARNs that a policy is asked about for a request, as IAM's service authorization reference says.
type resources = func(r *frontdoor.Request, in any) []string

// anything is for operations that are about no one resource.
func anything(*frontdoor.Request, any) []string { return nil }

// member is an input's member of that name, "" where it has none or the request does not give it.
func member(in any, name string) string {
	v := reflect.ValueOf(in).Elem().FieldByName(name)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return ""
	}
	return v.Elem().String()
}

// path is the path of what a request makes.
func path(in any) string {
	if p := member(in, "Path"); strings.HasPrefix(p, "/") && strings.HasSuffix(p, "/") {
		return p
	}
	return "/"
}

// onRole is the role that RoleName names, at its path; one that is not there is at the path that the request gives.
func (a *API) onRole(r *frontdoor.Request, in any) []string {
	name := member(in, "RoleName")
	if role := a.store.View().Roles.Get(iam.Key(r.Scope.Account, name)); role != nil {
		return []string{role.ARN()}
	}
	return []string{iam.ARN(r.Scope.Account, "role", path(in), name)}
}

// onUser is the user that UserName names, or the caller.
func (a *API) onUser(r *frontdoor.Request, in any) []string {
	name := member(in, "UserName")
	if name == "" {
		name, _ = callerName(r)
	}
	if user := a.store.View().Users.Get(iam.Key(r.Scope.Account, name)); user != nil {
		return []string{user.ARN()}
	}
	return []string{iam.ARN(r.Scope.Account, "user", path(in), name)}
}

// onGroup is the group that GroupName names.
func (a *API) onGroup(r *frontdoor.Request, in any) []string {
	name := member(in, "GroupName")
	if group := a.store.View().Groups.Get(iam.Key(r.Scope.Account, name)); group != nil {
		return []string{group.ARN()}
	}
	return []string{iam.ARN(r.Scope.Account, "group", path(in), name)}
}

// onProfile is the instance profile that InstanceProfileName names.
func (a *API) onProfile(r *frontdoor.Request, in any) []string {
	name := member(in, "InstanceProfileName")
	if profile := a.store.View().InstanceProfiles.Get(iam.Key(r.Scope.Account, name)); profile != nil {
		return []string{profile.ARN()}
	}
	return []string{iam.ARN(r.Scope.Account, "instance-profile", path(in), name)}
}

// onPolicy is the managed policy that PolicyArn names, or the one that the request makes.
func onPolicy(r *frontdoor.Request, in any) []string {
	if arn := member(in, "PolicyArn"); arn != "" {
		return []string{arn}
	}
	return []string{iam.ARN(r.Scope.Account, "policy", path(in), member(in, "PolicyName"))}
}

// callerName is the name of the user that calls, false where the caller is something else.
func callerName(r *frontdoor.Request) (string, bool) {
	_, rest, is := strings.Cut(r.Caller.ARN, ":user/")
	return rest[strings.LastIndexByte(rest, '/')+1:], is
}
