package ecs

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/internal/policy"
)

func (p *launchPad) settingNames(t *testing.T, body, next string) (names []string, token string) {
	t.Helper()
	var out struct {
		Settings  []struct{ Name string }
		NextToken string
	}
	if next != "" {
		body += `,"nextToken":"` + next + `"`
	}
	if err := json.Unmarshal([]byte(p.must(t, "ListAccountSettings", `{`+body+`}`)), &out); err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Settings {
		names = append(names, s.Name)
	}
	return names, out.NextToken
}

func TestListAccountSettingsPages(t *testing.T) {
	p := newLaunchPad(t)
	for body, sizes := range map[string][]int{
		`"effectiveSettings":true`:                 {10, 3},
		`"effectiveSettings":true,"maxResults":5`:  {5, 5, 3},
		`"effectiveSettings":true,"maxResults":10`: {10, 3},
	} {
		var got []int
		var all []string
		next := ""
		for range 10 {
			var names []string
			names, next = p.settingNames(t, body, next)
			got, all = append(got, len(names)), append(all, names...)
			if next == "" {
				break
			}
		}
		if diff := cmp.Diff(sizes, got); diff != "" || !slices.IsSorted(all) || len(slices.Compact(all)) != 13 {
			t.Errorf("%s: pages of %v: %v", body, got, all)
		}
	}
}

// Tags of what is made need ecs:TagResource besides the right to make it, in AWS's words and on AWS's resources.
func TestTagResourceAuthorization(t *testing.T) {
	const ecs = "arn:aws:ecs:us-east-1:123456789012:"
	for _, c := range []struct{ operation, tagged, plain, resource string }{
		{"CreateCluster", `{"clusterName":"new","tags":[{"key":"k"}]}`, `{"clusterName":"new"}`, ecs + "cluster/new"},
		{"RegisterTaskDefinition", `{"family":"f","tags":[{"key":"k"}],"containerDefinitions":[{"name":"c","image":"i","memory":64}]}`, newRevision("f"),
			ecs + "task-definition/f:*"},
		{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"port","desiredCount":0,"tags":[{"key":"k"}]}`,
			`{"cluster":"demo","serviceName":"s","taskDefinition":"port","desiredCount":0,"propagateTags":"TASK_DEFINITION"}`, ecs + "service/demo/s"},
		{"RunTask", `{"cluster":"demo","taskDefinition":"port","tags":[{"key":"k"}]}`, `{"cluster":"demo","taskDefinition":"port","enableECSManagedTags":true}`,
			ecs + "task/demo/*"},
		{"RunTask", `{"cluster":"demo","taskDefinition":"port","propagateTags":"TASK_DEFINITION"}`, `{"cluster":"demo","taskDefinition":"port"}`,
			ecs + "task/demo/*"},
		{"StartTask", `{"cluster":"demo","taskDefinition":"web","containerInstances":["i1"],"tags":[{"key":"k"}]}`,
			`{"cluster":"demo","taskDefinition":"web","containerInstances":["i1"]}`, ecs + "task/demo/*"},
		{"RegisterContainerInstance", `{"cluster":"demo",` + size + `,"tags":[{"key":"k"}]}`, `{"cluster":"demo",` + size + `}`, ecs + "container-instance/demo/*"},
	} {
		t.Run(c.operation, func(t *testing.T) {
			p := newLaunchPad(t)
			allowed := policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:" + c.operation}, Resources: []string{"*"}}
			p.grants = granted(allowed)
			before := p.store.View().N
			_, err := p.ask(t, "ADMIN", c.operation, c.tagged)
			want := "User: caller/ADMIN is not authorized to perform: ecs:TagResource on resource: " + c.resource +
				" because no identity-based policy allows the ecs:TagResource action"
			if err == nil || err.Code != "AccessDeniedException" || err.Message != want {
				t.Fatalf("got %v, want %s", err, want)
			}
			if p.store.View().N != before {
				t.Error("the store has changed")
			}
			p.must(t, c.operation, c.plain)
			if c.operation == "CreateService" {
				return // it is there now
			}
			p.must(t, "PutAccountSettingDefault", `{"name":"tagResourceAuthorization","value":"off"}`)
			p.must(t, c.operation, c.tagged)
			p.must(t, "PutAccountSetting", `{"name":"tagResourceAuthorization","value":"on"}`)
			p.grants = granted(allowed, policy.Statement{Effect: policy.Allow, Actions: []string{"ecs:TagResource"}, Resources: []string{c.resource}})
			p.must(t, c.operation, c.tagged)
		})
	}
}

func granted(statements ...policy.Statement) *policy.Grants {
	return &policy.Grants{Identity: policy.Compile(policy.Source{Document: &policy.Document{Statements: statements}})}
}

// A machine gives its own container instance tags, and no one else's.
func TestMachinesTagTheirInstance(t *testing.T) {
	p := newLaunchPad(t)
	p.grants = nil // the door has let the request in
	if _, err := p.ask(t, "AKIAi1", "RegisterContainerInstance", `{"cluster":"demo",`+size+`,"tags":[{"key":"k"}]}`); err != nil {
		t.Error(err)
	}
	if _, err := p.ask(t, "AKIAi1", "RunTask", `{"cluster":"demo","taskDefinition":"port","tags":[{"key":"k"}]}`); err == nil || err.Code != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
}
