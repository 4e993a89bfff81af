package iam

import (
	"fmt"
	"strings"
	"testing"
)

func TestWrongPolicyRequests(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreatePolicy PolicyName=read PolicyDocument=$read")
	a.must(t, "CreateRole RoleName=task AssumeRolePolicyDocument=$trust")
	a.must(t, "CreateUser UserName=bob")
	a.must(t, "CreateGroup GroupName=ops")
	const arn = " PolicyArn=" + ownPolicy
	const invalidARN = "ARN arn:aws:iam::aws:role/x-and-more is not valid."
	const awsOwn = "Policy " + awsPolicy + " is managed by AWS and cannot be changed."
	wrongs := []wrong{
		{"CreatePolicy PolicyName=x", validation, one + "policyDocument" + missing},
		{"CreatePolicy PolicyDocument=$read", validation, one + "policyName" + missing},
		{"CreatePolicy PolicyName=a/b PolicyDocument=$read", validation, "The specified value for policyName" + words},
		{"CreatePolicy PolicyName=x Path=/a~b/ PolicyDocument=$read", validation, path1},
		{"CreatePolicy PolicyName=x PolicyDocument={", badDoc, "Syntax errors in policy."},
		{"CreatePolicy PolicyName=x PolicyDocument=$trust", badDoc, "Policy document should not specify a principal."},
		{"CreatePolicy PolicyName=x PolicyDocument=" + sized("run", 6145), "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"},
		{"GetPolicy PolicyArn=" + noPolicy, none, "Policy " + noPolicy + " was not found."},
		{"GetPolicy PolicyArn=arn:aws:iam::210987654321:policy/read", none, "Policy arn:aws:iam::210987654321:policy/read was not found."},
		{"GetPolicy PolicyArn=arn:aws:iam::aws:role/x-and-more", "InvalidInput", invalidARN},
		{"GetPolicy PolicyArn=short", validation, one + "policyArn" + failed + "have length greater than or equal to 20"},
		{"ListPolicies Scope=Some", validation, one + "scope" + failed + "satisfy enum value set: [All, AWS, Local]"},
		{"ListPolicies PolicyUsageFilter=Some", validation,
			one + "policyUsageFilter" + failed + "satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]"},
		{"DeletePolicy PolicyArn=" + noPolicy, none, "Policy " + noPolicy + " was not found."},
		{"DeletePolicy PolicyArn=" + awsPolicy, "AccessDenied", awsOwn},
		{"CreatePolicyVersion PolicyDocument=$read PolicyArn=" + noPolicy, none, "Policy " + noPolicy + " was not found."},
		{"CreatePolicyVersion PolicyDocument=$read PolicyArn=" + awsPolicy, "AccessDenied", awsOwn},
		{"CreatePolicyVersion PolicyDocument={" + arn, badDoc, "Syntax errors in policy."},
		{"CreatePolicyVersion PolicyDocument=" + sized("run", 6145) + arn, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"},
		{"GetPolicyVersion VersionId=2" + arn, validation, one + "versionId" + failed + `satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`},
		{"GetPolicyVersion VersionId=v2" + arn, none, "Policy " + ownPolicy + " version v2 does not exist or is not attachable."},
		{"SetDefaultPolicyVersion VersionId=v2" + arn, none, "Policy " + ownPolicy + " version v2 does not exist or is not attachable."},
		{"DeletePolicyVersion VersionId=v2" + arn, none, "Policy " + ownPolicy + " version v2 does not exist or is not attachable."},
		{"DeletePolicyVersion VersionId=v1" + arn, "DeleteConflict", "Cannot delete the default version of a policy."},
		{"ListPolicyVersions PolicyArn=" + noPolicy, none, "Policy " + noPolicy + " was not found."},
		{"ListEntitiesForPolicy PolicyArn=" + noPolicy, none, "Policy " + noPolicy + " was not found."},
		{"ListEntitiesForPolicy EntityFilter=Some" + arn, validation,
			one + "entityFilter" + failed + "satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]"},
		{"TagPolicy Tags.member.1.Key=a Tags.member.1.Value=1 PolicyArn=" + awsPolicy, "AccessDenied", awsOwn},
	}
	most := map[string]int{"User": mostUserInline, "Group": mostGroupInline, "Role": mostRoleInline}
	for _, e := range []struct{ kind, name, nobody string }{{"User", "bob", nobodyUser}, {"Group", "ops", nobodies}, {"Role", "task", nobodyRole}} {
		named, nobody, lower := " "+e.kind+"Name="+e.name, " "+e.kind+"Name=nobody", strings.ToLower(e.kind)
		noInline := fmt.Sprintf("The %s policy with name x cannot be found.", lower)
		wrongs = append(wrongs, []wrong{
			{"Attach" + e.kind + "Policy" + arn, validation, one + lower + "Name" + missing},
			{"Attach" + e.kind + "Policy" + nobody + arn, none, e.nobody},
			{"Attach" + e.kind + "Policy PolicyArn=" + noPolicy + named, none, "Policy " + noPolicy + " does not exist or is not attachable."},
			{"Attach" + e.kind + "Policy PolicyArn=arn:aws:iam::aws:role/x-and-more" + named, "InvalidInput", invalidARN},
			{"Attach" + e.kind + "Policy PolicyArn=arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy" + named, "PolicyNotAttachable",
				"Cannot attach a Service Role Policy to a Customer Role."},
			{"Detach" + e.kind + "Policy" + named + arn, none, "Policy " + ownPolicy + " was not found."},
			{"Detach" + e.kind + "Policy" + nobody + arn, none, e.nobody},
			{"ListAttached" + e.kind + "Policies" + nobody, none, e.nobody},
			{"Put" + e.kind + "Policy PolicyName=x PolicyDocument=$read" + nobody, none, e.nobody},
			{"Put" + e.kind + "Policy PolicyName=x PolicyDocument={" + named, badDoc, "Syntax errors in policy."},
			{"Put" + e.kind + "Policy PolicyName=x" + named, validation, one + "policyDocument" + missing},
			{"Put" + e.kind + "Policy PolicyName=x PolicyDocument=" + sized("run", most[e.kind]+1) + named, "LimitExceeded",
				fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", most[e.kind], lower, e.name)},
			{"Get" + e.kind + "Policy PolicyName=x" + named, none, noInline},
			{"Get" + e.kind + "Policy PolicyName=x" + nobody, none, e.nobody},
			{"List" + e.kind + "Policies" + nobody, none, e.nobody},
			{"Delete" + e.kind + "Policy PolicyName=x" + named, none, noInline},
			{"Delete" + e.kind + "Policy PolicyName=x" + nobody, none, e.nobody},
		}...)
	}
	a.refuses(t, wrongs)
	for range 4 {
		a.must(t, "CreatePolicyVersion PolicyDocument=$run"+arn)
	}
	a.refuses(t, []wrong{{"CreatePolicyVersion PolicyDocument=$run" + arn, "LimitExceeded",
		"A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."}})
}

func TestWrongSimulations(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateUser UserName=alice")
	const custom, read = "SimulateCustomPolicy ActionNames.member.1=ecs:RunTask", "SimulateCustomPolicy PolicyInputList.member.1=$read"
	const source = "SimulatePrincipalPolicy ActionNames.member.1=ecs:RunTask PolicySourceArn="
	a.refuses(t, []wrong{
		{custom, validation, one + "policyInputList" + missing},
		{read, validation, one + "actionNames" + missing},
		{read + " ActionNames.member.1=RunTask", "InvalidInput", "Invalid Action: RunTask. An action has the form service:Action and no wildcards."},
		{read + " ActionNames.member.1=ecs:*", "InvalidInput", "Invalid Action: ecs:*. An action has the form service:Action and no wildcards."},
		{custom + " PolicyInputList.member.1={", "InvalidInput", "PolicyInputList.1 is not valid: Syntax errors in policy."},
		{custom + " PolicyInputList.member.1=$read ResourceArns.member.1=web", "InvalidInput", `Invalid Resource: web must be in ARN format or "*".`},
		{custom + " PolicyInputList.member.1=$read CallerArn=arn:aws:iam::123456789012:role/x", "InvalidInput",
			"CallerArn must be the ARN of an IAM user: arn:aws:iam::123456789012:role/x"},
		{custom + " PolicyInputList.member.1=$read ResourcePolicy=$trust", "InvalidInput", "CallerArn is required with a ResourcePolicy."},
		{custom + " PolicyInputList.member.1=$read ContextEntries.member.1.ContextKeyName=aws:username", "InvalidInput",
			"A context entry has ContextKeyName, ContextKeyType and ContextKeyValues: aws:username"},
		{custom + " PolicyInputList.member.1=$read PermissionsBoundaryPolicyInputList.member.1=$read PermissionsBoundaryPolicyInputList.member.2=$read",
			"InvalidInput", "PermissionsBoundaryPolicyInputList can have only one policy."},
		{custom + " PolicyInputList.member.1=$read ResourceHandlingOption=EC2-VPC-InstanceStore", "InvalidInput",
			"Berth does not act on ResourceHandlingOption; leave it out. docs/coverage.md lists what it acts on."},
		{source + "arn:aws:iam::123456789012:user/nobody", none, nobodyUser},
		{source + "arn:aws:iam::123456789012:user/team/alice", none, "The user with ARN arn:aws:iam::123456789012:user/team/alice cannot be found."},
		{source + "arn:aws:iam::123456789012:policy/x", "InvalidInput",
			"Invalid Entity Arn: arn:aws:iam::123456789012:policy/x does not clearly define entity type and name."},
		{source + "arn:aws:iam::210987654321:user/x", "InvalidInput",
			"Invalid Entity Arn: arn:aws:iam::210987654321:user/x does not clearly define entity type and name."},
		{"GetContextKeysForCustomPolicy PolicyInputList.member.1={", "InvalidInput", "PolicyInputList.1 is not valid: Syntax errors in policy."},
		{"GetContextKeysForPrincipalPolicy PolicySourceArn=arn:aws:iam::123456789012:role/nobody", none, nobodyRole},
	})
}
