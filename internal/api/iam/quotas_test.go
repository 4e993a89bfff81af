package iam

import (
	"fmt"
	"testing"

	"berth/internal/ecs"
	"berth/internal/iam"
)

// No account has more of anything than its quota, and what is within it is made.
func TestQuotas(t *testing.T) {
	entity := func(n int) iam.Entity {
		return iam.Entity{Account: testScope.Account, Name: fmt.Sprintf("e%d", n), Path: "/"}
	}
	for _, test := range []struct {
		name, line, message string
		most                int
		record              func(n int) ecs.Record
	}{
		{"roles", "CreateRole RoleName=%s AssumeRolePolicyDocument=$trust", "Cannot exceed quota for RolesPerAccount: 1000", mostRoles,
			func(n int) ecs.Record { return &iam.Role{Entity: entity(n)} }},
		{"users", "CreateUser UserName=%s", "Cannot exceed quota for UsersPerAccount: 5000", mostUsers,
			func(n int) ecs.Record { return &iam.User{Entity: entity(n)} }},
		{"groups", "CreateGroup GroupName=%s", "Cannot exceed quota for GroupsPerAccount: 300", mostGroups,
			func(n int) ecs.Record { return &iam.Group{Entity: entity(n)} }},
		{"instance profiles", "CreateInstanceProfile InstanceProfileName=%s", "Cannot exceed quota for InstanceProfilesPerAccount: 1000", mostProfiles,
			func(n int) ecs.Record {
				return &iam.InstanceProfile{Account: testScope.Account, Name: fmt.Sprintf("e%d", n), Path: "/"}
			}},
		{"policies", "CreatePolicy PolicyName=%s PolicyDocument=$read", "Cannot exceed quota for PoliciesPerAccount: 1500", mostPolicies,
			func(n int) ecs.Record {
				return &iam.Policy{Arn: fmt.Sprintf("arn:aws:iam::123456789012:policy/e%d", n), Name: fmt.Sprintf("e%d", n)}
			}},
		{"OpenID Connect providers", "CreateOpenIDConnectProvider Url=https://%s.example.com", "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100",
			mostProviders, func(n int) ecs.Record {
				return &iam.OIDCProvider{Account: testScope.Account, URL: fmt.Sprintf("e%d.example.com", n)}
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAccount(t)
			var all []ecs.Record
			for n := range test.most - 1 {
				all = append(all, test.record(n))
			}
			a.put(t, all...)
			a.must(t, fmt.Sprintf(test.line, "last"))
			a.refuses(t, []wrong{{fmt.Sprintf(test.line, "more"), "LimitExceeded", test.message}})
		})
	}
}

// What one entity may have.
func TestQuotasOfEntities(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateUser UserName=bob")
	for n := range mostAttached + 1 {
		a.must(t, fmt.Sprintf("CreatePolicy PolicyName=p%d PolicyDocument=$read", n))
	}
	for n := range mostAttached {
		a.must(t, fmt.Sprintf("AttachRolePolicy RoleName=task PolicyArn=arn:aws:iam::123456789012:policy/p%d", n))
	}
	for n := range mostMemberships + 1 {
		a.must(t, fmt.Sprintf("CreateGroup GroupName=g%d", n))
	}
	for n := range mostMemberships {
		a.must(t, fmt.Sprintf("AddUserToGroup UserName=bob GroupName=g%d", n))
	}
	a.must(t, "AttachRolePolicy RoleName=task PolicyArn=arn:aws:iam::123456789012:policy/p0")
	line := "TagRole RoleName=task"
	for n := range mostTags {
		line += fmt.Sprintf(" Tags.member.%d.Key=k%d Tags.member.%d.Value=v", n+1, n, n+1)
	}
	a.must(t, line)
	a.must(t, "TagRole RoleName=task Tags.member.1.Key=k0 Tags.member.1.Value=w")
	a.refuses(t, []wrong{
		{"AttachRolePolicy RoleName=task PolicyArn=arn:aws:iam::123456789012:policy/p10", "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10"},
		{"AddUserToGroup UserName=bob GroupName=g10", "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10"},
		{"TagRole RoleName=task Tags.member.1.Key=more Tags.member.1.Value=v", "LimitExceeded", "Cannot exceed quota for TagsPerResource: 50"},
		{line + " Tags.member.51.Key=more Tags.member.51.Value=v", validation, one + "tags" + failed + "have length less than or equal to 50"},
	})
}

// A document of the largest size is taken.
func TestSizes(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument="+sized("trust", mostTrust))
	a.must(t, "CreatePolicy PolicyName=p PolicyDocument="+sized("run", mostManaged))
	a.must(t, "PutRolePolicy RoleName=task PolicyName=a PolicyDocument="+sized("run", mostRoleInline-200))
	a.must(t, "PutRolePolicy RoleName=task PolicyName=b PolicyDocument="+sized("run", 200))
	a.must(t, "PutRolePolicy RoleName=task PolicyName=b PolicyDocument="+sized("run", 180))
	a.refuses(t, []wrong{{"PutRolePolicy RoleName=task PolicyName=c PolicyDocument=$read", "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role task"}})
}

// A group with too many members to rename keeps its name.
func TestRenameGroup(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateGroup GroupName=ops")
	var all []ecs.Record
	for n := range mostRenamed {
		all = append(all, &iam.User{Entity: iam.Entity{Account: testScope.Account, Name: fmt.Sprintf("u%d", n), Path: "/"}, Groups: []string{"ops"}})
	}
	a.put(t, all...)
	a.must(t, "UpdateGroup GroupName=ops NewGroupName=operators")
	for u := range a.store.View().Users.All() {
		if u.Groups[0] != "operators" {
			t.Fatalf("%s is in %v", u.Name, u.Groups)
		}
	}
	a.must(t, "CreateUser UserName=more")
	a.must(t, "AddUserToGroup GroupName=operators UserName=more")
	a.refuses(t, []wrong{{"UpdateGroup GroupName=operators NewGroupName=ops", "LimitExceeded",
		"Group operators has 98 members; groups of more than 97 members cannot be renamed."}})
}
