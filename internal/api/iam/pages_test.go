package iam

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Pages have as many items as were asked for, and together all, each once.
func TestPages(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateGroup GroupName=all")
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateUser UserName=bob")
	for n := range 7 {
		for _, line := range []string{
			"CreateUser UserName=U%d", "AddUserToGroup GroupName=all UserName=u%d", "CreateGroup GroupName=g%d", "AddUserToGroup UserName=bob GroupName=g%d",
			"CreateRole RoleName=r%d AssumeRolePolicyDocument=$trust", "CreatePolicy PolicyName=p%d PolicyDocument=$read",
			"AttachRolePolicy RoleName=task PolicyArn=arn:aws:iam::123456789012:policy/p%d", "PutRolePolicy RoleName=task PolicyName=i%d PolicyDocument=$run",
			"CreateInstanceProfile InstanceProfileName=b%d", "AddRoleToInstanceProfile InstanceProfileName=b%d RoleName=task",
			"AttachRolePolicy RoleName=r%d PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess", "TagRole RoleName=task Tags.member.1.Key=k%d Tags.member.1.Value=v",
		} {
			a.must(t, fmt.Sprintf(line, n))
		}
	}
	marker := regexp.MustCompile(`<IsTruncated>(true|false)</IsTruncated>(?:<Marker>(.*?)</Marker>)?`)
	for line, item := range map[string]string{
		"ListUsers": "UserName", "ListGroups": "GroupName", "ListRoles": "RoleName", "ListPolicies": "PolicyName", "ListInstanceProfiles": "InstanceProfileName",
		"GetGroup GroupName=all": "UserName", "ListGroupsForUser UserName=bob": "GroupName", "ListAttachedRolePolicies RoleName=task": "PolicyName",
		"ListRolePolicies RoleName=task": "member", "ListInstanceProfilesForRole RoleName=task": "InstanceProfileName", "ListRoleTags RoleName=task": "Key",
		"ListEntitiesForPolicy PolicyArn=" + awsPolicy: "RoleName", "GetAccountAuthorizationDetails": "UserName|GroupName|RoleName|InstanceProfileName|PolicyName",
	} {
		t.Run(line, func(t *testing.T) {
			items := func(answer string) (out []string) {
				for _, m := range regexp.MustCompile(`<(?:`+item+`)>([^<]+)</(?:`+item+`)>`).FindAllStringSubmatch(answer, -1) {
					out = append(out, m[1])
				}
				return out
			}
			whole := a.must(t, line+" MaxItems=1000")
			want := items(whole)
			if len(want) < 7 {
				t.Fatalf("only %v", want)
			}
			var got []string
			for next := ""; ; {
				answer := a.must(t, line+" MaxItems=3"+next)
				got = append(got, items(answer)...)
				m := marker.FindStringSubmatch(answer)
				if m[1] == "true" != (m[2] != "") || len(got) > len(want) {
					t.Fatalf("%v of %v: %s", got, want, m[0])
				}
				if m[2] == "" {
					break
				}
				next = " Marker=" + m[2]
			}
			slices.Sort(want) // details come by kind within a page
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages differ from the whole (-whole +pages):\n%s", diff)
			}
		})
	}
}
