package ecs

import "testing"

func TestWrongAccountSettings(t *testing.T) {
	const names = "serviceLongArnFormat,taskLongArnFormat,containerInstanceLongArnFormat,containerLongArnFormat,awsvpcTrunking,containerInsights," +
		"dualStackIPv6,fargateFIPSMode,tagResourceAuthorization,fargateTaskRetirementWaitPeriod,guardDutyActivate,defaultLogDriverMode,fargateEventWindows"
	var tests []badRequest
	for _, operation := range []string{"PutAccountSetting", "PutAccountSettingDefault"} {
		put := func(members, message string) {
			tests = append(tests, badRequest{operation, `{` + members + `}`, parameter, message})
		}
		put(``, "name should not be null or empty.")
		put(`"value":"enabled"`, "name should not be null or empty.")
		put(`"name":"x","value":"enabled"`, "x should be one of ["+names+"]")
		put(`"name":"awsvpcTrunking"`, "value should not be null or empty.")
		put(`"name":"awsvpcTrunking","value":"ENABLED"`, "Invalid setting 'value'")
		put(`"name":"awsvpcTrunking","value":"on"`, "Invalid setting 'value'")
		put(`"name":"containerInsights","value":"on"`, "Invalid setting 'value'")
		put(`"name":"tagResourceAuthorization","value":"enabled"`, "Invalid setting 'value'")
		put(`"name":"fargateTaskRetirementWaitPeriod","value":"1"`, "Invalid setting 'value'")
		put(`"name":"defaultLogDriverMode","value":"none"`, "Invalid setting 'value'")
		put(`"name":"guardDutyActivate","value":"on"`, "The account setting guardDutyActivate is read-only.")
		for _, name := range []string{"service", "task", "containerInstance"} {
			put(`"name":"`+name+`LongArnFormat","value":"disabled"`, "You can no longer disable Long Arn settings")
		}
	}
	tests = append(tests,
		badRequest{"PutAccountSetting", `{"name":"fargateTaskRetirementWaitPeriod","value":"0"}`, parameter,
			"You must use the root user to set fargateTaskRetirementWaitPeriod."},
		badRequest{"DeleteAccountSetting", `{}`, parameter, "name should not be null or empty."},
		badRequest{"DeleteAccountSetting", `{"name":"guardDutyActivate"}`, parameter, "The account setting guardDutyActivate is read-only."},
		badRequest{"ListAccountSettings", `{"name":"x"}`, parameter, "x should be one of [" + names + "]"},
		badRequest{"ListAccountSettings", `{"value":"enabled"}`, parameter, "You must specify an account setting name to filter by value."},
		badRequest{"ListAccountSettings", `{"maxResults":0}`, parameter, "maxResults must be between 1 and 10."},
		badRequest{"ListAccountSettings", `{"maxResults":11}`, parameter, "maxResults must be between 1 and 10."},
		badRequest{"ListAccountSettings", `{"nextToken":"x"}`, parameter,
			"Invalid token: nextToken is not one that ListAccountSettings answered to these parameters."})
	for _, operation := range []string{"PutAccountSetting", "DeleteAccountSetting", "ListAccountSettings"} {
		for principal, message := range map[string]string{
			"me":                                "Invalid principalArn: me is not the ARN of a user, a role or the root user.",
			"arn:aws:iam::123456789012:group/g": "Invalid principalArn: arn:aws:iam::123456789012:group/g is not the ARN of a user, a role or the root user.",
			"arn:aws:ecs:us-east-1:123456789012:cluster/demo": "Invalid principalArn: arn:aws:ecs:us-east-1:123456789012:cluster/demo is not the ARN of a user, " +
				"a role or the root user.",
			"arn:aws:iam::210987654321:root": "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012",
		} {
			tests = append(tests, badRequest{operation, `{"name":"awsvpcTrunking","value":"enabled","principalArn":"` + principal + `"}`, parameter, message})
		}
	}
	refuses(t, tests)
}
