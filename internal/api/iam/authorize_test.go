package iam

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// What policies are asked about: the resources of IAM's service authorization reference, existing ones at their paths.
func TestResources(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateUser UserName=caller Path=/team/")
	a.must(t, "CreateUser UserName=alice Path=/team/")
	a.must(t, "CreateGroup GroupName=ops Path=/g/")
	a.must(t, "CreateRole RoleName=task Path=/app/ AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateInstanceProfile InstanceProfileName=box Path=/p/")
	a.must(t, "CreateAccessKey UserName=alice")
	const arn = "arn:aws:iam::123456789012:"
	for line, want := range map[string]string{
		"GetUser":                                                        arn + "user/team/caller",
		"GetUser UserName=ALICE":                                         arn + "user/team/alice",
		"CreateUser UserName=new Path=/x/":                               arn + "user/x/new",
		"GetUser UserName=nobody":                                        arn + "user/nobody",
		"GetAccessKeyLastUsed AccessKeyId=AKIA#1":                        arn + "user/team/alice",
		"ListUsers":                                                      "",
		"AddUserToGroup GroupName=ops UserName=alice":                    arn + "group/g/ops",
		"ListGroupsForUser UserName=alice":                               arn + "user/team/alice",
		"AttachRolePolicy RoleName=task PolicyArn=" + awsPolicy:          arn + "role/app/task",
		"CreateRole RoleName=new Path=/x/":                               arn + "role/x/new",
		"CreateRole RoleName=new Path=bad":                               arn + "role/new",
		"CreatePolicy PolicyName=p Path=/x/":                             arn + "policy/x/p",
		"GetPolicy PolicyArn=" + ownPolicy:                               ownPolicy,
		"AddRoleToInstanceProfile InstanceProfileName=box RoleName=task": arn + "instance-profile/p/box",
		"ListInstanceProfilesForRole RoleName=task":                      arn + "role/app/task",
		"CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com":       arn + "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
		"CreateServiceLinkedRole AWSServiceName=lambda.amazonaws.com":    arn + "role/aws-service-role/lambda.amazonaws.com/*",
		"GetServiceLinkedRoleDeletionStatus DeletionTaskId=task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/x": arn +
			"role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
		"CreateOpenIDConnectProvider Url=https://id.example.com/x":    arn + "oidc-provider/id.example.com/x",
		"SimulatePrincipalPolicy PolicySourceArn=" + arn + "user/bob": arn + "user/bob",
		"SimulateCustomPolicy": "",
	} {
		operation, parameters := a.request(t, line)
		o, in, r := a.decode(t, operation, parameters)
		if got := strings.Join(o.Resources(r, in), " "); got != want {
			t.Errorf("%s is about %q, want %q", line, got, want)
		}
	}
}

// Every operation survives a request without anything, before it is checked.
func TestResourcesOfNothing(t *testing.T) {
	a := newAccount(t)
	for name := range a.ops {
		o, in, r := a.decode(t, name, nil)
		o.Resources(r, in)
		a.api.keys(r, in)
	}
}

func TestKeys(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust PermissionsBoundary="+awsPolicy+" Tags.member.1.Key=Team Tags.member.1.Value=a")
	a.must(t, "CreateUser UserName=alice Tags.member.1.Key=Team Tags.member.1.Value=b")
	a.must(t, "CreatePolicy PolicyName=read PolicyDocument=$read Tags.member.1.Key=Team Tags.member.1.Value=c")
	for _, test := range []struct{ line, key, want string }{
		{"AttachRolePolicy RoleName=task PolicyArn=" + ownPolicy, "iam:policyarn", ownPolicy},
		{"DetachUserPolicy UserName=alice PolicyArn=" + ownPolicy, "iam:policyarn", ownPolicy},
		{"GetPolicy PolicyArn=" + ownPolicy, "iam:policyarn", ""},
		{"AttachRolePolicy RoleName=task PolicyArn=" + ownPolicy, "iam:permissionsboundary", awsPolicy},
		{"AttachUserPolicy UserName=alice PolicyArn=" + ownPolicy, "iam:permissionsboundary", ""},
		{"PutRolePermissionsBoundary RoleName=task PermissionsBoundary=" + ownPolicy, "iam:permissionsboundary", ownPolicy},
		{"CreateUser UserName=new PermissionsBoundary=" + ownPolicy, "iam:permissionsboundary", ownPolicy},
		{"CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com", "iam:awsservicename", "ecs.amazonaws.com"},
	} {
		operation, parameters := a.request(t, test.line)
		_, in, r := a.decode(t, operation, parameters)
		if got := strings.Join(a.api.keys(r, in).Values(test.key), " "); got != test.want {
			t.Errorf("%s: %s is %q, want %q", test.line, test.key, got, test.want)
		}
	}
	for resource, want := range map[string]string{
		"arn:aws:iam::123456789012:role/task": "a", "arn:aws:iam::123456789012:user/alice": "b", ownPolicy: "c", awsPolicy: "", "x": "",
	} {
		if got := a.api.resourceTags(resource)["Team"]; got != want {
			t.Errorf("%s has the tag %q, want %q", resource, got, want)
		}
	}
}

// A caller who may change instance profiles needs iam:PassRole on the role as well, and may have it for roles with a tag, at a path, for a service.
func TestAuthorization(t *testing.T) {
	const allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"%s","Resource":"%s"%s}]}`
	const pass = "User: arn:aws:iam::123456789012:user/team/caller is not authorized to perform: iam:PassRole on resource: " +
		"arn:aws:iam::123456789012:role/app/task because no identity-based policy allows the iam:PassRole action"
	condition := func(operator, key, value string) string {
		return fmt.Sprintf(`,"Condition":{"%s":{"%s":"%s"}}`, operator, key, value)
	}
	for _, test := range []struct {
		name, line string
		policies   []string
		refused    string
	}{
		{"no PassRole", "AddRoleToInstanceProfile InstanceProfileName=box RoleName=task", []string{fmt.Sprintf(allow, "iam:Add*", "*", "")}, pass},
		{"PassRole", "AddRoleToInstanceProfile InstanceProfileName=box RoleName=task", []string{fmt.Sprintf(allow, "iam:Add*", "*", ""),
			fmt.Sprintf(allow, "iam:PassRole", "arn:aws:iam::*:role/app/*", condition("StringEquals", "iam:PassedToService", "ec2.amazonaws.com"))}, ""},
		{"PassRole to another", "AddRoleToInstanceProfile InstanceProfileName=box RoleName=task", []string{fmt.Sprintf(allow, "iam:Add*", "*", ""),
			fmt.Sprintf(allow, "iam:PassRole", "*", condition("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"))}, pass},
		{"PolicyARN", "AttachRolePolicy RoleName=task PolicyArn=" + awsPolicy,
			[]string{fmt.Sprintf(allow, "iam:AttachRolePolicy", "*", condition("ArnEquals", "iam:PolicyARN", awsPolicy))}, ""},
		{"another PolicyARN", "AttachRolePolicy RoleName=task PolicyArn=" + awsPolicy,
			[]string{fmt.Sprintf(allow, "iam:AttachRolePolicy", "*", condition("ArnEquals", "iam:PolicyARN", ownPolicy))},
			"User: arn:aws:iam::123456789012:user/team/caller is not authorized to perform: iam:AttachRolePolicy on resource: role task " +
				"because no identity-based policy allows the iam:AttachRolePolicy action"},
		{"tag", "GetRole RoleName=task", []string{fmt.Sprintf(allow, "iam:GetRole", "*", condition("StringEquals", "iam:ResourceTag/team", "a"))}, ""},
		{"tag that is asked for", "TagRole RoleName=task Tags.member.1.Key=team Tags.member.1.Value=b",
			[]string{fmt.Sprintf(allow, "iam:TagRole", "*", condition("StringEquals", "aws:RequestTag/team", "b"))}, ""},
		{"service", "CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com",
			[]string{fmt.Sprintf(allow, "iam:CreateServiceLinkedRole", "*", condition("StringLike", "iam:AWSServiceName", "ecs.amazonaws.com"))}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAccount(t)
			a.must(t, "CreateRole RoleName=task Path=/app/ AssumeRolePolicyDocument=$trust Tags.member.1.Key=team Tags.member.1.Value=a")
			a.must(t, "CreateInstanceProfile InstanceProfileName=box")
			status, body := a.knock(t, test.line, test.policies...)
			want := strings.ReplaceAll(test.refused, "role task", "arn:aws:iam::123456789012:role/app/task")
			if test.refused == "" && status != 200 || test.refused != "" && (status != 403 || !strings.Contains(body, "<Message>"+want+"</Message>")) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

// knock asks at the front door, as a caller with policies.
func (a *account) knock(t *testing.T, line string, policies ...string) (status int, body string) {
	t.Helper()
	caller := a.caller
	caller.Grants = &policy.Grants{}
	var all []policy.Source
	for _, text := range policies {
		d, err := policy.Parse(text, policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, policy.Source{Name: "p", Document: d})
	}
	caller.Grants.Identity = policy.Compile(all...)
	door := frontdoor.New(frontdoor.Config{Services: []frontdoor.Service{a.api.Service()}, Auth: frontdoor.AuthDev, DevPrincipal: caller, Account: testScope.Account})
	operation, parameters := a.request(t, line)
	parameters.Set("Action", operation)
	parameters.Set("Version", "2010-05-08")
	r := httptest.NewRequest("POST", "http://cp/", strings.NewReader(parameters.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}
