package iam

import (
	"strings"
	"testing"
)

const (
	validation = "ValidationError"
	one        = "1 validation error detected: Value at '"
	missing    = "' failed to satisfy constraint: Member must not be null"
	failed     = "' failed to satisfy constraint: Member must "
	words      = " is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	path1      = "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
	none       = "NoSuchEntity"
	nobodyRole = "The role with name nobody cannot be found."
	nobodyUser = "The user with name nobody cannot be found."
	nobodies   = "The group with name nobody cannot be found."
	badDoc     = "MalformedPolicyDocument"
	awsPolicy  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	ownPolicy  = "arn:aws:iam::123456789012:policy/read"
	noPolicy   = "arn:aws:iam::123456789012:policy/nothing"
)

func TestWrongRoleRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateUser UserName=bob")
	a.must(t, "PutRolePolicy RoleName=task PolicyName=run PolicyDocument=$run")
	a.must(t, "CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com")
	const create = "CreateRole RoleName=other AssumeRolePolicyDocument=$trust "
	long := strings.Repeat("a", 65)
	a.refuses(t, []wrong{
		{"CreateRole AssumeRolePolicyDocument=$trust", validation, one + "roleName" + missing},
		{"CreateRole", validation, "2 validation errors detected: Value at 'assumeRolePolicyDocument" + missing + "; Value at 'roleName" + missing},
		{"CreateRole RoleName= AssumeRolePolicyDocument=$trust", validation, one + "roleName" + failed + "have length greater than or equal to 1"},
		{"CreateRole RoleName=" + long + " AssumeRolePolicyDocument=$trust", validation, one + "roleName" + failed + "have length less than or equal to 64"},
		{"CreateRole RoleName=a/b AssumeRolePolicyDocument=$trust", validation, "The specified value for roleName" + words},
		{create + "Path=x", validation, path1},
		{create + "Path=/x", validation, path1},
		{create + "Path=/aws-service-role/ecs.amazonaws.com/", "InvalidInput",
			"Path /aws-service-role/ecs.amazonaws.com/ is not valid: only service-linked roles are there. Use CreateServiceLinkedRole."},
		{create + "MaxSessionDuration=3599", validation, one + "maxSessionDuration" + failed + "have value greater than or equal to 3600"},
		{create + "MaxSessionDuration=43201", validation, one + "maxSessionDuration" + failed + "have value less than or equal to 43200"},
		{create + `Description="\u20ac"`, validation, one + "description" + failed + `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`},
		{create + "Description=" + strings.Repeat("a", 1001), validation, one + "description" + failed + "have length less than or equal to 1000"},
		{create + "PermissionsBoundary=short", validation, one + "permissionsBoundary" + failed + "have length greater than or equal to 20"},
		{create + "PermissionsBoundary=arn:aws:iam::aws:role/x-and-more", "InvalidInput", "ARN arn:aws:iam::aws:role/x-and-more is not valid."},
		{create + "PermissionsBoundary=" + noPolicy, none, "Scope ARN: " + noPolicy + " does not exist or is not attachable."},
		{create + "Tags.member.1.Key=a Tags.member.1.Value=1 Tags.member.2.Key=A Tags.member.2.Value=2", "InvalidInput",
			"Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{create + "Tags.member.1.Key=a", validation, one + "tags.1.member.value" + missing},
		{create + "Tags.member.1.Key=aws:x Tags.member.1.Value=1", "InvalidInput", "Tag keys that start with 'aws:' are reserved for use by AWS: aws:x"},
		{create + "Tags.member.1.Key=? Tags.member.1.Value=1", validation,
			one + "tags.1.member.key" + failed + `satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{create + "Tags.member.1.Key=a Tags.member.1.Value=" + strings.Repeat("a", 257), validation,
			one + "tags.1.member.value" + failed + "have length less than or equal to 256"},
		{"CreateRole RoleName=other AssumeRolePolicyDocument={", badDoc, "This policy contains invalid Json"},
		{"CreateRole RoleName=other AssumeRolePolicyDocument=$read", badDoc, "Missing required field Principal"},
		{"CreateRole RoleName=other AssumeRolePolicyDocument=$alice", badDoc,
			`Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/alice"`},
		{"CreateRole RoleName=other AssumeRolePolicyDocument=" + sized("trust", 2049), "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"},

		{"GetRole", validation, one + "roleName" + missing},
		{"GetRole RoleName=nobody", none, nobodyRole},
		{"ListRoles MaxItems=0", validation, one + "maxItems" + failed + "have value greater than or equal to 1"},
		{"ListRoles MaxItems=1001", validation, one + "maxItems" + failed + "have value less than or equal to 1000"},
		{"ListRoles Marker=?", validation, "Invalid Marker."},
		{"ListRoles PathPrefix=x", validation,
			"The specified value for pathPrefix is invalid. It must begin with / and contain only alphanumeric characters and/or / characters."},
		{"UpdateRole RoleName=nobody", none, nobodyRole},
		{"UpdateRole RoleName=task MaxSessionDuration=1", validation, one + "maxSessionDuration" + failed + "have value greater than or equal to 3600"},
		{"UpdateRoleDescription RoleName=task", validation, one + "description" + missing},
		{"UpdateRoleDescription RoleName=nobody Description=x", none, nobodyRole},
		{"UpdateAssumeRolePolicy RoleName=task PolicyDocument={", badDoc, "This policy contains invalid Json"},
		{"UpdateAssumeRolePolicy RoleName=task PolicyDocument=$alice", badDoc, `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/alice"`},
		{"UpdateAssumeRolePolicy RoleName=nobody PolicyDocument=$trust", none, nobodyRole},
		{"DeleteRole RoleName=nobody", none, nobodyRole},
		{"DeleteRole RoleName=task", "DeleteConflict", "Cannot delete entity, must delete policies first."},
		{"DeleteServiceLinkedRole RoleName=task", "InvalidInput", "The role task is not a service-linked role."},
		{"DeleteServiceLinkedRole RoleName=nobody", none, nobodyRole},
		{"GetServiceLinkedRoleDeletionStatus DeletionTaskId=task/x", none, "Deletion task task/x cannot be found."},
		{"CreateServiceLinkedRole", validation, one + "awsServiceName" + missing},
		{"CreateServiceLinkedRole AWSServiceName=autoscaling.amazonaws.com CustomSuffix=" + strings.Repeat("a", 64), validation,
			"The name of the role, AWSServiceRoleForAutoScaling_" + strings.Repeat("a", 64) + ", is longer than 64 characters: CustomSuffix must be shorter."},
		{"PutRolePermissionsBoundary RoleName=AWSServiceRoleForECS PermissionsBoundary=" + awsPolicy, "UnmodifiableEntity",
			"Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS"},

		{"CreateInstanceProfile", validation, one + "instanceProfileName" + missing},
		{"AddRoleToInstanceProfile InstanceProfileName=box RoleName=task", none, "Instance Profile box cannot be found."},
		{"ListInstanceProfilesForRole RoleName=nobody", none, nobodyRole},
		{"DeleteInstanceProfile InstanceProfileName=box", none, "Instance Profile box cannot be found."},
	})
	a.must(t, "CreateInstanceProfile InstanceProfileName=box")
	a.refuses(t, []wrong{
		{"AddRoleToInstanceProfile InstanceProfileName=box RoleName=nobody", none, nobodyRole},
		{"AddRoleToInstanceProfile InstanceProfileName=box RoleName=AWSServiceRoleForECS", "UnmodifiableEntity",
			"Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS"},
	})
}

// sized is a document of so many characters, quoted for a request's line.
func sized(document string, n int) string {
	d := documents[document]
	d = strings.Replace(d, `"Effect"`, `"Sid":"","Effect"`, 1)
	d = strings.Replace(d, `"Sid":""`, `"Sid":"`+strings.Repeat("x", n-len(d))+`"`, 1)
	return `"` + strings.ReplaceAll(d, `"`, `\"`) + `"`
}
