package ecr

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/access"
	"berth/internal/frontdoor"
	"berth/internal/policy"
)

// What policies are asked about is the repository that a request names, of the registry that it names, or all of them.
func TestResources(t *testing.T) {
	a := newAccount(t)
	const in = "arn:aws:ecr:us-east-1:"
	for name, o := range a.ops {
		body, want := `{"repositoryName":"team/app","registryId":"210987654321"}`, in+"210987654321:repository/team/app"
		switch name {
		case "DescribeRepositories":
			body, want = `{}`, in+"123456789012:repository/*"
		case "TagResource", "UntagResource", "ListTagsForResource":
			want = in + "123456789012:repository/x"
			body = `{"resourceArn":"` + want + `"}`
		case "GetAuthorizationToken", "DescribeRegistry":
			if o.Resources != nil {
				t.Errorf("%s is about something", name)
			}
			continue
		}
		v := reflect.New(o.Input)
		if _, err := a.plans[o.Input].DecodeJSON([]byte(body), v.Interface()); err != nil {
			t.Fatal(err)
		}
		if got := o.Resources(&frontdoor.Request{Scope: testScope}, v.Interface()); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is about %v", name, got)
		}
	}
	o := a.ops["DescribeRepositories"]
	v := reflect.New(o.Input)
	if _, err := a.plans[o.Input].DecodeJSON([]byte(`{"repositoryNames":["one","two"]}`), v.Interface()); err != nil {
		t.Fatal(err)
	}
	if got := o.Resources(&frontdoor.Request{Scope: testScope}, v.Interface()); !slices.Equal(got, []string{in + "123456789012:repository/one", in + "123456789012:repository/two"}) {
		t.Error(got)
	}
}

// A repository's policy decides although its statements name no resource, and one that cannot be read lets nobody in.
func TestResourcePolicy(t *testing.T) {
	a := newAccount(t)
	arn := a.must(t, "CreateRepository", `{"repositoryName":"app","tags":[{"Key":"team","Value":"web"}]}`)["repository"].(map[string]any)["repositoryArn"].(string)
	if a.api.ResourcePolicy(arn) != nil || a.api.ResourcePolicy(arn+"x") != nil {
		t.Error("a policy where there is none")
	}
	a.must(t, "SetRepositoryPolicy", `{"repositoryName":"app","policyText":`+quote(strings.Replace(somePolicy, "Allow", "Deny", 1))+`}`)
	caller := access.Admin(testScope.Account)
	v := policy.Decide(policy.Request{Principal: &caller, Action: "ecr:PutImage", Resource: arn, ResourcePolicy: a.api.ResourcePolicy(arn)})
	if v.Decision != policy.ExplicitDeny {
		t.Errorf("%v", v)
	}
	if tags := a.api.resourceTags(arn); !reflect.DeepEqual(tags, map[string]string{"team": "web"}) {
		t.Errorf("%v", tags)
	}
}

// Operations that only read records are served by every replica; all others, and all on images, by the leader.
func TestReadOnly(t *testing.T) {
	var got []string
	for _, o := range New(Config{}).Service().Operations {
		if o.ReadOnly {
			got = append(got, o.Name)
		}
	}
	slices.Sort(got)
	want := strings.Fields("DescribeRegistry DescribeRepositories GetAuthorizationToken GetLifecyclePolicy GetRepositoryPolicy ListTagsForResource")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
