package frontdoor

import (
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"berth/internal/policy"
)

func condition(operator, key string, values ...string) []policy.Condition {
	return []policy.Condition{{Operator: operator, Key: key, Values: values}}
}

// asking is a request of somebody with one statement.
func asking(s policy.Statement) *Request {
	return &Request{Caller: policy.Principal{ARN: "arn:aws:iam::123456789012:user/u", Account: "123456789012", Grants: grants(s)}}
}

// TestConditions: what an operation's input asks for, its resource's tags and its own keys are what policies can ask about.
func TestConditions(t *testing.T) {
	c := &call{Operation: Operation{Name: "CreateCluster", Input: reflect.TypeFor[awsecs.CreateClusterInput](),
		Resources: func(*Request, any) []string { return []string{"arn:aws:ecs:us-east-1:123456789012:cluster/c"} },
		Keys:      func(*Request, any) policy.Context { return policy.Keys{{Name: "ecs:own", Values: []string{"yes"}}} },
	}, service: "ecs", action: "ecs:CreateCluster", tags: func(resource string) map[string]string {
		return map[string]string{"Team": resource[len(resource)-1:]}
	}}
	c.requestTags = readsTags(c.Input)
	in := &awsecs.CreateClusterInput{Tags: []types.Tag{{Key: new("Env"), Value: new("test")}, {Key: new("x")}}}
	for _, x := range []struct {
		conditions []policy.Condition
		want       bool
	}{
		{nil, true},
		{condition("StringEquals", "aws:RequestTag/Env", "test"), true},
		{condition("StringEquals", "aws:RequestTag/env", "test"), true},
		{condition("StringEquals", "aws:RequestTag/Env", "live"), false},
		{condition("Null", "aws:RequestTag/other", "true"), true},
		{condition("ForAllValues:StringEquals", "aws:TagKeys", "Env", "x"), true},
		{condition("ForAllValues:StringEquals", "aws:TagKeys", "Env"), false},
		{condition("StringEquals", "aws:ResourceTag/Team", "c"), true},
		{condition("StringEquals", "ecs:ResourceTag/team", "c"), true},
		{condition("StringEquals", "iam:ResourceTag/team", "c"), false},
		{condition("StringEquals", "ecs:own", "yes"), true},
		{condition("StringEquals", "ecs:own", "no"), false},
	} {
		r := asking(policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:*"}, Resources: []string{"*"}, Conditions: x.conditions})
		if e := c.authorize(r, in); (e == nil) != x.want {
			t.Errorf("%+v: %v", x.conditions, e)
		}
		if len(r.Decisions) != 1 || r.Decisions[0].Action != "ecs:CreateCluster" || r.about() == "" {
			t.Errorf("decisions %+v", r.Decisions)
		}
	}
}

// TestAlso: what an operation needs besides is asked too, and the first refusal is the answer.
func TestAlso(t *testing.T) {
	c := &call{Operation: Operation{Name: "RunTask", Input: reflect.TypeFor[awsecs.RunTaskInput](), Also: func(*Request, any) []Question {
		return []Question{{Action: "iam:PassRole", Resource: "arn:aws:iam::123456789012:role/r", Keys: policy.Keys{{Name: "iam:passedtoservice", Values: []string{"ecs-tasks.amazonaws.com"}}}}}
	}}, service: "ecs", action: "ecs:RunTask"}
	for service, want := range map[string]string{
		"ecs-tasks.amazonaws.com": "",
		"ec2.amazonaws.com": "User: arn:aws:iam::123456789012:user/u is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/r " +
			"because no identity-based policy allows the iam:PassRole action",
	} {
		r := asking(policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{"*"}})
		r.Caller.Grants = grants(
			policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:RunTask"}, Resources: []string{"*"}},
			policy.Statement{Effect: policy.Allow, Actions: []string{"iam:PassRole"}, Resources: []string{"*"}, Conditions: condition("StringEquals", "iam:PassedToService", service)})
		got := ""
		if e := c.authorize(r, &awsecs.RunTaskInput{}); e != nil {
			got = e.Message
		}
		if got != want || len(r.Decisions) != 2 {
			t.Errorf("passed to %s: %q, %d decisions", service, got, len(r.Decisions))
		}
	}
}

// TestCircumstances: every request has AWS's global condition keys.
func TestCircumstances(t *testing.T) {
	d := testDoor(nil)
	q := httptest.NewRequest("POST", "http://cp/", nil)
	q.RemoteAddr = "10.1.2.3:99"
	q.Header.Set("User-Agent", "aws-cli/1")
	x := d.begin(httptest.NewRecorder(), q)
	x.claim.region = "eu-west-1"
	at := time.Date(2026, 11, 29, 20, 0, 0, 0, time.UTC)
	keys := circumstances{x, at}
	for key, want := range map[string][]string{
		"aws:sourceip": {"10.1.2.3"}, "aws:currenttime": {"2026-11-29T20:00:00Z"}, "aws:epochtime": {"1795982400"}, "aws:securetransport": {"false"},
		"aws:requestedregion": {"eu-west-1"}, "aws:useragent": {"aws-cli/1"}, "aws:referer": nil, "aws:viaawsservice": {"false"}, "aws:tokenissuetime": nil, "aws:x": nil,
	} {
		if got := keys.Values(key); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	x.issued = at
	if got := keys.Values("aws:tokenissuetime"); !slices.Equal(got, []string{"2026-11-29T20:00:00Z"}) {
		t.Errorf("%q", got)
	}
}

// TestTagsOfInputs: tags are found in every form that inputs have.
func TestTagsOfInputs(t *testing.T) {
	if read := readsTags(reflect.TypeFor[awsecs.ListClustersInput]()); read != nil {
		t.Error("an input without tags has some")
	}
	untag := readsTags(reflect.TypeFor[iam.UntagRoleInput]())
	if got := (requestTags{&iam.UntagRoleInput{TagKeys: []string{"a"}}, untag}).Values("aws:tagkeys"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q", got)
	}
	untag = readsTags(reflect.TypeFor[cloudwatchlogs.UntagLogGroupInput]())
	if got := (requestTags{&cloudwatchlogs.UntagLogGroupInput{Tags: []string{"a"}}, untag}).Values("aws:tagkeys"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("keys that are called tags: %q", got)
	}
	if got := (requestTags{&awsecs.CreateClusterInput{}, readsTags(reflect.TypeFor[awsecs.CreateClusterInput]())}).Values("aws:tagkeys"); got != nil {
		t.Errorf("no tags have the keys %q", got)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	for _, n := range []int{50, 1000} {
		b.Run(map[int]string{50: "50", 1000: "1000"}[n], func(b *testing.B) {
			var list []policy.Statement
			for i := range n {
				list = append(list, policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:RunTask", "ecs:Describe*"},
					Resources: []string{"arn:aws:ecs:us-east-1:123456789012:task-definition/f" + string(rune('a'+i%26)) + "*"}, Conditions: condition("StringEquals", "aws:RequestTag/team", "x")})
			}
			list = append(list, policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:*"}, Resources: []string{"*"}})
			g := grants(list...)
			c := &call{Operation: Operation{Name: "RunTask", Resources: func(*Request, any) []string {
				return []string{"arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"}
			}}, service: "ecs", action: "ecs:RunTask", requestTags: readsTags(reflect.TypeFor[awsecs.RunTaskInput]())}
			in := &awsecs.RunTaskInput{}
			b.ReportAllocs()
			for b.Loop() {
				r := &Request{Caller: policy.Principal{ARN: "arn:aws:iam::123456789012:user/u", Account: "123456789012", Grants: g}}
				if e := c.authorize(r, in); e != nil {
					b.Fatal(e)
				}
			}
		})
	}
}
