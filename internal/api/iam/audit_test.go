package iam

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// What is wrong in all operations alike: a request without anything, markers and sizes of pages that cannot be, names of nothing.
func TestAudit(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateUser UserName=caller")
	a.must(t, "CreateUser UserName=alice")
	a.must(t, "CreateGroup GroupName=ops")
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateInstanceProfile InstanceProfileName=box")
	a.must(t, "CreatePolicy PolicyName=read PolicyDocument=$read")
	a.must(t, "CreateOpenIDConnectProvider Url=https://id.example.com")
	whole := map[string]string{ // a good value for each member
		"UserName": "alice", "GroupName": "ops", "RoleName": "task", "InstanceProfileName": "box", "PolicyArn": ownPolicy, "PolicyName": "p",
		"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/id.example.com", "PolicyDocument": documents["read"],
		"AssumeRolePolicyDocument": documents["trust"], "PermissionsBoundary": awsPolicy, "VersionId": "v1", "AccessKeyId": "AKIA0000000000000000",
		"Status": "Active", "Description": "d", "ClientID": "c", "Url": "https://x.example.com", "AWSServiceName": "ecs.amazonaws.com",
		"Tags.member.1.Key": "k", "Tags.member.1.Value": "v", "TagKeys.member.1": "k", "ThumbprintList.member.1": strings.Repeat("a", 40),
		"PolicySourceArn": "arn:aws:iam::123456789012:user/alice", "ActionNames.member.1": "ecs:RunTask", "PolicyInputList.member.1": documents["read"],
	}
	nothing := map[string]string{
		"UserName": "nobody", "GroupName": "nobody", "RoleName": "nobody", "InstanceProfileName": "nobody", "PolicyArn": noPolicy,
		"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/nothing", "PolicySourceArn": "arn:aws:iam::123456789012:user/nobody",
	}
	makes := []string{"CreateUser", "CreateGroup", "CreateRole", "CreateInstanceProfile", "DeleteOpenIDConnectProvider"} // for which a name of nothing is right
	before := a.store.View().N
	refuses := func(operation string, parameters url.Values, code string) {
		t.Helper()
		out, err := a.ask(t, operation, parameters)
		if err == nil || err.Code != code || err.Message == "" {
			t.Errorf("%s %v: %s%v, want %s", operation, parameters, out, err, code)
		}
		if n := a.store.View().N; n != before {
			t.Fatalf("%s %v has changed the store", operation, parameters)
		}
	}
	for name, o := range a.ops {
		good := func() url.Values {
			p := url.Values{}
			for member, value := range whole {
				top, _, _ := strings.Cut(member, ".")
				if _, has := o.Input.FieldByName(top); has {
					p.Set(member, value)
				}
			}
			if name == "UpdateAssumeRolePolicy" {
				p.Set("PolicyDocument", documents["trust"])
			}
			return p
		}
		if _, has := o.Input.FieldByName("Marker"); has {
			for member, values := range map[string][]string{"MaxItems": {"0", "-1", "1001"}, "Marker": {"", "\u20ac"}} {
				for _, value := range values {
					p := good()
					p.Set(member, value)
					refuses(name, p, validation)
				}
			}
		}
		for member, value := range nothing {
			if _, has := o.Input.FieldByName(member); !has || slices.Contains(makes, name) {
				continue
			}
			p := good()
			p.Set(member, value)
			refuses(name, p, none)
			p.Set(member, "")
			refuses(name, p, validation)
		}
	}
}
