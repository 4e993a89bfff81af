package iam

import (
	"slices"
	"strings"
	"testing"
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
	if got := passKeys(passedTo).Values("iam:passedtoservice"); !slices.Equal(got, []string{"ec2.amazonaws.com"}) {
		t.Errorf("passed to %v", got)
	}
}
