package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"berth/internal/iam"
	"berth/internal/state"

	"pgregory.net/rapid"
)

// Whatever is asked in whatever order: nothing in an account refers to what is not there, no quota of an entity is broken, and a request that is refused has
// changed nothing.
func TestRandomRequests(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := openAccount(t)
		for range rapid.IntRange(1, 60).Draw(r, "requests") {
			operation, parameters := a.request(t, randomRequest(r))
			before := a.store.View().N
			_, err := a.ask(t, operation, parameters)
			if err != nil && a.store.View().N != before {
				r.Fatalf("%s %v was refused (%v) and has changed the store", operation, parameters, err)
			}
			if err != nil && err.Status >= 500 {
				r.Fatalf("%s %v: %v", operation, parameters, err)
			}
			if wrong := a.api.broken(a.store.View().Tables); wrong != "" {
				r.Fatalf("after %s %v: %s", operation, parameters, wrong)
			}
		}
	})
}

// randomRequest is a request about one of two of each kind.
func randomRequest(r *rapid.T) string {
	name := func(what string) string { return fmt.Sprintf("%s%d", what, rapid.IntRange(1, 2).Draw(r, what)) }
	policy := "arn:aws:iam::123456789012:policy/" + name("policy")
	if rapid.Bool().Draw(r, "of AWS") {
		policy = awsPolicy
	}
	kind := rapid.SampledFrom([]string{"User", "Group", "Role"}).Draw(r, "kind")
	named := " " + kind + "Name=" + name(strings.ToLower(kind))
	document := " PolicyDocument=$" + rapid.SampledFrom([]string{"read", "run", "deny", "trust"}).Draw(r, "document")
	trust := rapid.SampledFrom([]string{"trust", "alice", "ec2"}).Draw(r, "trust")
	return rapid.SampledFrom([]string{
		"CreateUser UserName=" + name("user"), "CreateUser UserName=alice", "DeleteUser UserName=alice", "DeleteUser UserName=" + name("user"),
		"UpdateUser UserName=" + name("user") + " NewUserName=" + name("user"), "CreateAccessKey UserName=" + name("user"),
		"UpdateUser UserName=alice NewUserName=" + name("user"),
		"CreateGroup GroupName=" + name("group"), "DeleteGroup GroupName=" + name("group"),
		"UpdateGroup GroupName=" + name("group") + " NewGroupName=" + name("group"),
		"AddUserToGroup GroupName=" + name("group") + " UserName=" + name("user"), "RemoveUserFromGroup GroupName=" + name("group") + " UserName=" + name("user"),
		"CreateRole RoleName=" + name("role") + " AssumeRolePolicyDocument=$" + trust, "DeleteRole RoleName=" + name("role"),
		"UpdateAssumeRolePolicy RoleName=" + name("role") + " PolicyDocument=$" + trust,
		"CreatePolicy PolicyName=" + name("policy") + document, "DeletePolicy PolicyArn=" + policy,
		"CreatePolicyVersion SetAsDefault=true PolicyArn=" + policy + document, "DeletePolicyVersion VersionId=v1 PolicyArn=" + policy,
		"SetDefaultPolicyVersion VersionId=v2 PolicyArn=" + policy,
		"Attach" + kind + "Policy PolicyArn=" + policy + named, "Detach" + kind + "Policy PolicyArn=" + policy + named,
		"Put" + kind + "Policy PolicyName=" + name("inline") + document + named, "Delete" + kind + "Policy PolicyName=" + name("inline") + named,
		"PutRolePermissionsBoundary RoleName=" + name("role") + " PermissionsBoundary=" + policy, "DeleteRolePermissionsBoundary RoleName=" + name("role"),
		"CreateInstanceProfile InstanceProfileName=" + name("box"), "DeleteInstanceProfile InstanceProfileName=" + name("box"),
		"AddRoleToInstanceProfile InstanceProfileName=" + name("box") + " RoleName=" + name("role"),
		"RemoveRoleFromInstanceProfile InstanceProfileName=" + name("box") + " RoleName=" + name("role"),
		"CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com", "DeleteServiceLinkedRole RoleName=AWSServiceRoleForECS",
	}).Draw(r, "request")
}

// broken says what in an account refers to nothing.
func (a *API) broken(t *state.Tables) string {
	account := testScope.Account
	ids := map[string]bool{}
	for e := range entities(t, account) {
		for _, p := range append(slices.Clone(e.Attached), e.Boundary) {
			if p != "" && a.lookup(t, account, p) == nil {
				return e.Name + " has a policy that is gone: " + p
			}
		}
		if ids[e.ID] || len(e.Attached) != len(slices.Compact(slices.Sorted(slices.Values(e.Attached)))) {
			return e.Name + " has the id or a policy twice"
		}
		ids[e.ID] = true
	}
	for u := range users(t, account) {
		for _, g := range u.Groups {
			if t.Groups.Get(iam.Key(account, g)) == nil {
				return u.Name + " is in a group that is gone: " + g
			}
		}
		if count(keys(t, u)) > mostKeys {
			return u.Name + " has too many keys"
		}
	}
	for k := range t.AccessKeys.All() {
		if t.Users.Get(iam.Key(account, k.UserName)) == nil {
			return "a key is of nobody: " + k.UserName
		}
	}
	for p := range profiles(t, account) {
		if p.Role != "" && t.Roles.Get(iam.Key(account, p.Role)) == nil {
			return p.Name + " has a role that is gone: " + p.Role
		}
	}
	for p := range policies(t, account) {
		if p.Document() == "" || len(p.Versions) > mostVersions {
			return fmt.Sprintf("%s has no default version %s, or %d versions", p.Name, p.Default, len(p.Versions))
		}
	}
	for r := range roles(t, account) {
		if d, err := trustPolicy(r.Trust); err != nil {
			return fmt.Sprintf("%s trusts by no policy: %v", r.Name, err)
		} else if err := checkPrincipals(t, d); err != nil && !strings.Contains(r.Trust, userPrefix) {
			return r.Name + " trusts somebody who is gone"
		}
	}
	return ""
}
