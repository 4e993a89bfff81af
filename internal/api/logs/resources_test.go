package logs

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/frontdoor"
)

// TestResources: what a policy is asked about is what AWS's refusals name.
func TestResources(t *testing.T) {
	a := newAccount(t)
	const root = "arn:aws:logs:us-east-1:123456789012:log-group:"
	for _, test := range []struct {
		operation, body string
		want            []string
	}{
		{"CreateLogGroup", `{"logGroupName":"g"}`, []string{root + "g:log-stream:"}},
		{"CreateLogStream", `{"logGroupName":"g","logStreamName":"s"}`, []string{root + "g:log-stream:s"}},
		{"PutLogEvents", `{"logGroupName":"g","logStreamName":"web/app/1"}`, []string{root + "g:log-stream:web/app/1"}},
		{"GetLogEvents", `{"logGroupIdentifier":"` + root + `g:*","logStreamName":"s"}`, []string{root + "g:log-stream:s"}},
		{"FilterLogEvents", `{"logGroupIdentifier":"g"}`, []string{root + "g:log-stream:"}},
		{"DescribeLogGroups", `{}`, []string{root + ":log-stream:"}},
		{"TagResource", `{"resourceArn":"` + root + `g:*"}`, []string{root + "g"}},
		{"StartLiveTail", `{"logGroupIdentifiers":["` + root + `g","h"]}`, []string{root + "g:log-stream:", root + "h:log-stream:"}},
	} {
		o := a.ops[test.operation]
		in := reflect.New(o.Input).Interface()
		if _, err := a.plans[o.Input].DecodeJSON([]byte(test.body), in); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, o.Resources(&frontdoor.Request{Scope: testScope}, in)); diff != "" {
			t.Errorf("%s %s: %s", test.operation, test.body, diff)
		}
	}
}

// TestResourceTags: the tags of a group are those of its streams, for conditions.
func TestResourceTags(t *testing.T) {
	a := newAccount(t)
	a.must(t, "CreateLogGroup", `{"logGroupName":"g","tags":{"team":"web"}}`)
	const g = "arn:aws:logs:us-east-1:123456789012:log-group:g"
	for resource, want := range map[string]map[string]string{
		g: {"team": "web"}, g + ":log-stream:": {"team": "web"}, g + ":log-stream:s": {"team": "web"}, g + "2": nil, "*": nil,
		"arn:aws:ecs:us-east-1:123456789012:cluster/g": nil,
	} {
		if diff := cmp.Diff(want, a.api.Service().ResourceTags(resource)); diff != "" {
			t.Errorf("%s: %s", resource, diff)
		}
	}
}
