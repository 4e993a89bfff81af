package ecs

import (
	"fmt"
	"strings"
	"testing"
)

func TestWrongTagRequests(t *testing.T) {
	const cluster, rest = `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/demo","tags":[`, `]}`
	tag := func(tags, message string) badRequest {
		return badRequest{"TagResource", cluster + tags + rest, parameter, message}
	}
	var many []string
	for n := range 51 {
		many = append(many, fmt.Sprintf(`{"key":"k%d"}`, n))
	}
	inactive := func(what string) string {
		return "The specified " + what + " is inactive. Specify an active " + what + " and try again."
	}
	unknown := func(what string) string {
		return "The specified " + what + " was not found. Specify a valid " + what + " and try again."
	}
	const long = "Long arn format must be used for tagging operations"
	tests := []badRequest{
		tag("", "Tags can not be empty."),
		tag(`{}`, "Tag key should not be null or empty."),
		tag(`{"key":""}`, "Tag key should not be null or empty."),
		tag(`{"key":"AWS:x"}`, "The tag key 'AWS:x' is not allowed: aws: prefixed tag key names are not allowed for external use."),
		tag(`{"key":"a*"}`, "The tag key 'a*' contains invalid characters."),
		tag(`{"key":"k","value":"<"}`, "The value of the tag 'k' contains invalid characters."),
		tag(`{"key":"k","value":"aws:x"}`, "The value of the tag 'k' is not allowed: the prefix aws: is reserved."),
		tag(`{"key":"k","value":"`+strings.Repeat("é", 257)+`"}`, "The value of the tag 'k' is longer than 256 characters."),
		tag(`{"key":"`+strings.Repeat("k", 129)+`"}`, "The tag key '"+strings.Repeat("k", 129)+"' is longer than 128 characters."),
		tag(`{"key":"k"},{"key":"k"}`, "Duplicate tag keys found: the tag key 'k' is given more than once."),
		tag(strings.Join(many, ","), "Too many tags: a resource can have at most 50 tags, and 51 were given."),
		{"TagResource", `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:service/demo/web","tags":[` + strings.Join(many[:50], ",") + `]}`, parameter,
			"Too many tags: a resource can have at most 50 tags, and it would have 51."},
		{"UntagResource", `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/demo"}`, parameter, "tagKeys can not be empty."},
		{"UntagResource", `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/demo","tagKeys":["k",""]}`, parameter, "Tag key should not be null or empty."},
		{"UntagResource", `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/demo","tagKeys":["aws:x"]}`, parameter,
			"The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use."},
	}
	for operation, more := range map[string]string{
		"TagResource": `,"tags":[{"key":"k"}]`, "UntagResource": `,"tagKeys":["k"]`, "ListTagsForResource": "",
	} {
		for id, message := range map[string]string{
			"": "resourceArn can not be blank.", "demo": "Invalid identifier: demo is not the ARN of a resource of ECS.",
			"arn:aws:iam::123456789012:role/r":                                "Invalid identifier: arn:aws:iam::123456789012:role/r is not the ARN of a resource of ECS.",
			"arn:aws:ecs:us-east-1:210987654321:cluster/demo":                 "Invalid identifier: Identifier is for 210987654321. Your accountId is 123456789012",
			"arn:aws:ecs:eu-west-1:123456789012:cluster/demo":                 "Invalid Region in ARN",
			"arn:aws:ecs:us-east-1:123456789012:capacity-provider/p":          unknown("capacity provider"),
			"arn:aws:ecs:us-east-1:123456789012:namespace/p":                  "Invalid identifier: a namespace has no tags.",
			"arn:aws:ecs:us-east-1:123456789012:service/web":                  long,
			"arn:aws:ecs:us-east-1:123456789012:task/mine":                    long,
			"arn:aws:ecs:us-east-1:123456789012:container-instance/i1":        long,
			"arn:aws:ecs:us-east-1:123456789012:cluster/gone":                 inactive("cluster"),
			"arn:aws:ecs:us-east-1:123456789012:service/demo/left":            inactive("service"),
			"arn:aws:ecs:us-east-1:123456789012:service/demo/nobody":          unknown("service"),
			"arn:aws:ecs:us-east-1:123456789012:task/demo/nobody":             unknown("task"),
			"arn:aws:ecs:us-east-1:123456789012:container-instance/demo/dead": inactive("container instance"),
			"arn:aws:ecs:us-east-1:123456789012:container-instance/demo/x":    unknown("container instance"),
			"arn:aws:ecs:us-east-1:123456789012:task-definition/web:7":        unknown("task definition"),
		} {
			tests = append(tests, badRequest{operation, `{"resourceArn":"` + id + `"` + more + `}`, parameter, message})
		}
		tests = append(tests, badRequest{operation, `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/nobody"` + more + `}`,
			"ClusterNotFoundException", "Cluster not found."})
	}
	refuses(t, tests)
}
