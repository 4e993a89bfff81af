package iam

import (
	"strings"
	"testing"

	"berth/internal/policy"
)

func TestWrongUserRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateUser UserName=bob")
	a.must(t, "CreateUser UserName=eve")
	a.must(t, "CreateGroup GroupName=ops")
	a.must(t, "CreateGroup GroupName=dev")
	a.must(t, "CreateAccessKey UserName=bob")
	a.must(t, "CreateOpenIDConnectProvider Url=https://id.example.com")
	const noKeyThere = "The Access Key with id AKIA0000000000000000 cannot be found."
	const provider, noProvider = "arn:aws:iam::123456789012:oidc-provider/id.example.com", "arn:aws:iam::123456789012:oidc-provider/nothing"
	a.refuses(t, []wrong{
		{"CreateUser", validation, one + "userName" + missing},
		{"CreateUser UserName=" + strings.Repeat("a", 65), validation, one + "userName" + failed + "have length less than or equal to 64"},
		{"CreateUser UserName=BOB", "EntityAlreadyExists", "User with name BOB already exists."},
		{"CreateUser UserName=x PermissionsBoundary=" + noPolicy, none, "Scope ARN: " + noPolicy + " does not exist or is not attachable."},
		{"GetUser UserName=nobody", none, nobodyUser},
		{"UpdateUser UserName=nobody NewPath=/x/", none, nobodyUser},
		{"UpdateUser UserName=bob NewUserName=EVE", "EntityAlreadyExists", "User with name EVE already exists."},
		{"UpdateUser UserName=bob NewUserName=a/b", validation, "The specified value for newUserName" + words},
		{"DeleteUser UserName=nobody", none, nobodyUser},
		{"CreateAccessKey UserName=nobody", none, nobodyUser},
		{"UpdateAccessKey UserName=bob AccessKeyId=AKIA0000000000000000 Status=Inactive", none, noKeyThere},
		{"UpdateAccessKey UserName=bob AccessKeyId=AKIA#1", validation, one + "status" + missing},
		{"UpdateAccessKey UserName=bob AccessKeyId=AKIA#1 Status=Expired", validation, one + "status" + failed + "satisfy enum value set: [Active, Inactive]"},
		{"UpdateAccessKey UserName=eve AccessKeyId=AKIA#1 Status=Inactive", none, "The Access Key with id AKIA#1 cannot be found."},
		{"UpdateAccessKey AccessKeyId=short Status=Inactive", validation, one + "accessKeyId" + failed + "have length greater than or equal to 16"},
		{"DeleteAccessKey UserName=bob AccessKeyId=AKIA0000000000000000", none, noKeyThere},
		{"GetAccessKeyLastUsed AccessKeyId=AKIA0000000000000000", none, noKeyThere},
		{"ListAccessKeys UserName=nobody", none, nobodyUser},
		{"PutUserPermissionsBoundary UserName=bob PermissionsBoundary=" + noPolicy, none, "Scope ARN: " + noPolicy + " does not exist or is not attachable."},
		{"GetLoginProfile UserName=bob", none, "Login Profile for User bob cannot be found."},
		{"DeleteLoginProfile UserName=nobody", none, nobodyUser},
		{"ListMFADevices UserName=nobody", none, nobodyUser},
		{"CreateGroup GroupName=OPS", "EntityAlreadyExists", "Group with name OPS already exists."},
		{"GetGroup GroupName=nobody", none, nobodies},
		{"UpdateGroup GroupName=ops NewGroupName=DEV", "EntityAlreadyExists", "Group with name DEV already exists."},
		{"UpdateGroup GroupName=nobody", none, nobodies},
		{"DeleteGroup GroupName=nobody", none, nobodies},
		{"AddUserToGroup GroupName=ops UserName=nobody", none, nobodyUser},
		{"AddUserToGroup GroupName=nobody UserName=bob", none, nobodies},
		{"RemoveUserFromGroup GroupName=nobody UserName=bob", none, nobodies},
		{"ListGroupsForUser UserName=nobody", none, nobodyUser},
		{"TagUser UserName=nobody Tags.member.1.Key=a Tags.member.1.Value=1", none, nobodyUser},
		{"UntagUser UserName=bob TagKeys.member.1=", validation, one + "tagKeys.1.member" + failed + "have length greater than or equal to 1"},
		{"ListRoleTags RoleName=nobody", none, nobodyRole},
		{"CreateOpenIDConnectProvider Url=http://id.example.com", validation, "Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider Url=https://id.example.com/?a=b", validation, "Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider Url=https://id.example.com", "EntityAlreadyExists", "Provider with url https://id.example.com already exists."},
		{"CreateOpenIDConnectProvider Url=https://x.example.com ThumbprintList.member.1=abc", validation,
			one + "thumbprintList.1.member" + failed + "have length greater than or equal to 40"},
		{"CreateOpenIDConnectProvider Url=https://x.example.com ThumbprintList.member.1=" + strings.Repeat("z", 40), "InvalidInput",
			"Thumbprint " + strings.Repeat("z", 40) + " is not valid: it must be 40 hexadecimal digits."},
		{"UpdateOpenIDConnectProviderThumbprint OpenIDConnectProviderArn=" + provider + sixThumbprints(), "InvalidInput",
			"Thumbprint list must contain fewer than 5 entries."},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=" + noProvider, none, "OpenIDConnect Provider not found for arn " + noProvider},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=" + ownPolicy, "InvalidInput", "ARN " + ownPolicy + " is not valid."},
		{"DeleteOpenIDConnectProvider OpenIDConnectProviderArn=" + ownPolicy, "InvalidInput", "ARN " + ownPolicy + " is not valid."},
		{"AddClientIDToOpenIDConnectProvider ClientID=x OpenIDConnectProviderArn=" + noProvider, none, "OpenIDConnect Provider not found for arn " + noProvider},
	})
	a.caller = policy.Principal{ARN: "arn:aws:sts::123456789012:assumed-role/task/session", Account: testScope.Account}
	const must = "Must specify userName when calling with non-User credentials"
	a.refuses(t, []wrong{{"GetUser", validation, must}, {"CreateAccessKey", validation, must}, {"ListAccessKeys", validation, must}})
}

func sixThumbprints() (list string) {
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		list += " ThumbprintList.member." + n + "=" + strings.Repeat(n, 40)
	}
	return list
}
