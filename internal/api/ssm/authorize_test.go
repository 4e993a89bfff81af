package ssm

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/frontdoor"
)

const ours = "arn:aws:ssm:us-east-1:123456789012:"

// question is what an operation has policies asked.
func (a *account) question(t *testing.T, operation, body string) (resources []string, r *frontdoor.Request, in any) {
	t.Helper()
	o := a.ops[operation]
	v := reflect.New(o.Input)
	if _, err := a.plans[o.Input].DecodeJSON([]byte(body), v.Interface()); err != nil {
		t.Fatal(err)
	}
	r = &frontdoor.Request{Scope: testScope, Caller: a.caller}
	return asked(o, r, v.Interface()), r, v.Interface()
}

func TestResources(t *testing.T) {
	a := newAccount(t)
	for _, test := range []struct{ operation, body, want string }{
		{"PutParameter", `{"Name":"/a/b"}`, ours + "parameter/a/b"},
		{"GetParameter", `{"Name":"a:3"}`, ours + "parameter/a"},
		{"GetParameter", `{"Name":"` + ours + `parameter/a/b:live"}`, ours + "parameter/a/b"},
		{"GetParameter", `{"Name":"arn:aws:ssm:us-east-1:210987654321:parameter/a"}`, "arn:aws:ssm:us-east-1:210987654321:parameter/a"},
		{"GetParameter", `{}`, ""},
		{"GetParameters", `{"Names":["a","/b/c"]}`, ours + "parameter/a " + ours + "parameter/b/c"},
		{"DeleteParameters", `{"Names":["a"]}`, ours + "parameter/a"},
		{"GetParametersByPath", `{"Path":"/a/"}`, ours + "parameter/a/"},
		{"DescribeParameters", `{}`, ours + "*"},
		{"AddTagsToResource", `{"ResourceType":"Parameter","ResourceId":"/a"}`, ours + "parameter/a"},
		{"ListTagsForResource", `{"ResourceType":"ManagedInstance","ResourceId":"mi-1"}`, ours + "managed-instance/mi-1"},
		{"ListTagsForResource", `{"ResourceType":"Document","ResourceId":"d"}`, ours + "*"},
		{"DeregisterManagedInstance", `{"InstanceId":"mi-1"}`, ours + "managed-instance/mi-1"},
	} {
		if got, _, _ := a.question(t, test.operation, test.body); strings.Join(got, " ") != test.want {
			t.Errorf("%s %s: %v, not %s", test.operation, test.body, got, test.want)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	a := newAccount(t)
	for _, test := range []struct{ operation, body, key, want string }{
		{"PutParameter", `{"Name":"a","Overwrite":true}`, "ssm:overwrite", "[true]"},
		{"PutParameter", `{"Name":"a"}`, "ssm:overwrite", "[false]"},
		{"GetParametersByPath", `{"Path":"/","Recursive":true}`, "ssm:recursive", "[true]"},
		{"GetParametersByPath", `{"Path":"/"}`, "ssm:overwrite", "[]"},
	} {
		if _, r, _ := a.question(t, test.operation, test.body); fmt.Sprint(r.Keys.Values(test.key)) != test.want {
			t.Errorf("%s %s: %s is %v", test.operation, test.body, test.key, r.Keys.Values(test.key))
		}
	}
}

// Who makes an activation hands its role to Systems Manager.
func TestPassesRole(t *testing.T) {
	a := newAccount(t, roles()...)
	for named, want := range map[string]string{"Hybrid": "role/Hybrid", "x/Hybrid": "role/Hybrid", "service-role/None": "role/service-role/None"} {
		_, r, in := a.question(t, "CreateActivation", `{"IamRole":"`+named+`"}`)
		q := a.ops["CreateActivation"].Also(r, in)
		if len(q) != 1 || q[0].Action != "iam:PassRole" || q[0].Resource != "arn:aws:iam::123456789012:"+want ||
			!slices.Equal(q[0].Keys.Values("iam:passedtoservice"), []string{"ssm.amazonaws.com"}) {
			t.Errorf("%s: %+v", named, q)
		}
	}
	if _, r, in := a.question(t, "CreateActivation", `{}`); a.ops["CreateActivation"].Also(r, in) != nil {
		t.Error("it asks about no role")
	}
}

func TestResourceTags(t *testing.T) {
	a := newAccount(t, roles()...)
	a.must(t, "PutParameter", `{"Name":"/a/b","Value":"v","Type":"String","Tags":[{"Key":"team","Value":"web"}]}`)
	activation := a.must(t, "CreateActivation", `{"IamRole":"Hybrid","Tags":[{"Key":"site","Value":"x"}]}`)
	m, err := a.api.Redeem(t.Context(), activation["ActivationId"].(string), activation["ActivationCode"].(string), Machine{})
	if err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[string]map[string]string{
		ours + "parameter/a/b": {"team": "web"}, ours + "managed-instance/" + m.InstanceID: {"site": "x"}, ours + "parameter/none": nil, "x": nil,
	} {
		if diff := cmp.Diff(want, a.api.resourceTags(resource)); diff != "" {
			t.Errorf("%s: %s", resource, diff)
		}
	}
}
