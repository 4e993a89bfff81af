package ecs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/golden"
)

// Stories of clusters, task definitions and tags, each line a request with its whole answer.
func TestCatalogStories(t *testing.T) {
	for _, dir := range []string{
		"create_cluster", "describe_clusters", "list_clusters", "update_cluster", "update_cluster_settings", "put_cluster_capacity_providers",
		"delete_cluster",
		"register_task_definition", "describe_task_definition", "list_task_definitions", "list_task_definition_families",
		"deregister_task_definition", "delete_task_definitions", "tag_resource", "untag_resource", "list_tags_for_resource",
	} {
		golden.Run(t, "testdata/"+dir+"/*.txtar", func(t *testing.T, in map[string]string) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s := &shopper{launchPad: newLaunchPad(t, shop()...)}
				for line := range strings.Lines(in["requests"]) {
					time.Sleep(time.Second) // so that what changes shows it
					out += "> " + line + s.tell(t, strings.TrimSpace(line))
				}
			})
			return out
		})
	}
}

// must makes a call that is answered.
func (p *launchPad) must(t *testing.T, operation, body string) string {
	t.Helper()
	out, err := p.ask(t, "ADMIN", operation, body)
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	return string(out)
}

// discard deregisters and deletes a revision.
func (p *launchPad) discard(t *testing.T, revision string) {
	t.Helper()
	p.must(t, "DeregisterTaskDefinition", fmt.Sprintf(`{"taskDefinition":%q}`, revision))
	p.must(t, "DeleteTaskDefinitions", fmt.Sprintf(`{"taskDefinitions":[%q]}`, revision))
}

// catalog is a launch pad with families a, a-b and b, of which a has revisions 1 to 12.
func catalog(t *testing.T) *launchPad {
	t.Helper()
	p := newLaunchPad(t)
	for _, family := range append(slices.Repeat([]string{"a"}, 12), "a-b", "b", "b") {
		p.must(t, "RegisterTaskDefinition", newRevision(family))
	}
	return p
}

func newRevision(family string) string {
	return fmt.Sprintf(`{"family":%q,"containerDefinitions":[{"name":"c","image":"i","memory":64}]}`, family)
}

func shortNames(arns []string) []string {
	return texts(arns, func(a string) string { return a[strings.LastIndexByte(a, '/')+1:] })
}

func TestListTaskDefinitionsPages(t *testing.T) {
	p := catalog(t)
	ofA := []string{"a:1", "a:2", "a:3", "a:4", "a:5", "a:6", "a:7", "a:8", "a:9", "a:10", "a:11", "a:12"}
	// The launch pad's own definitions were never registered and have no family.
	all := append(slices.Clone(ofA), "a-b:1", "b:1")
	p.must(t, "DeregisterTaskDefinition", `{"taskDefinition":"b:2"}`)
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, c := range []struct {
		body string
		want []string
	}{
		{`"status":"ACTIVE"`, all},
		{`"sort":"ASC"`, all},
		{`"sort":"DESC"`, reversed},
		{`"familyPrefix":"a"`, ofA},
		{`"familyPrefix":"a","sort":"DESC"`, reversed[2:]},
		{`"status":"INACTIVE"`, []string{"b:2"}},
	} {
		for _, size := range []int{1, 2, 7, 100} {
			if diff := cmp.Diff(c.want, shortNames(p.pages(t, "ListTaskDefinitions", c.body, "taskDefinitionArns", size))); diff != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", c.body, size, diff)
			}
		}
	}
}

// A page follows the one before also when what that ended with is gone.
func TestListTaskDefinitionsAfterDeletion(t *testing.T) {
	for sort, want := range map[string][]string{"ASC": {"a:3", "a:4"}, "DESC": {"a:10", "a:9"}} {
		p := catalog(t)
		body := fmt.Sprintf(`"familyPrefix":"a","maxResults":2,"sort":%q`, sort)
		first, token := p.list(t, "ListTaskDefinitions", body, "taskDefinitionArns")
		p.discard(t, first[1])
		second, _ := p.list(t, "ListTaskDefinitions", body+fmt.Sprintf(`,"nextToken":%q`, token), "taskDefinitionArns")
		if diff := cmp.Diff(want, shortNames(second)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", sort, diff)
		}
	}
}

func TestListFamiliesPages(t *testing.T) {
	p := catalog(t)
	p.must(t, "DeregisterTaskDefinition", `{"taskDefinition":"a-b:1"}`)
	p.must(t, "RegisterTaskDefinition", newRevision("zed"))
	p.discard(t, "zed:1") // nothing of the family is left
	for _, c := range []struct {
		body string
		want []string
	}{
		{`"familyPrefix":""`, []string{"a", "a-b", "b"}},
		{`"status":"ALL"`, []string{"a", "a-b", "b"}},
		{`"status":"ACTIVE"`, []string{"a", "b"}},
		{`"status":"INACTIVE"`, []string{"a-b"}},
		{`"familyPrefix":"a"`, []string{"a", "a-b"}},
	} {
		for _, size := range []int{1, 2, 100} {
			if diff := cmp.Diff(c.want, p.pages(t, "ListTaskDefinitionFamilies", c.body, "families", size)); diff != "" {
				t.Errorf("%s, %d a page (-want +got):\n%s", c.body, size, diff)
			}
		}
	}
}

func TestListClustersPages(t *testing.T) {
	p := newLaunchPad(t)
	for _, name := range []string{"x", "demo-2", "a"} {
		p.must(t, "CreateCluster", fmt.Sprintf(`{"clusterName":%q}`, name))
	}
	for _, size := range []int{1, 2, 100} {
		got := shortNames(p.pages(t, "ListClusters", `"x":0`, "clusterArns", size))
		if diff := cmp.Diff([]string{"a", "demo", "demo-2", "empty", "x"}, got); diff != "" {
			t.Errorf("%d a page (-want +got):\n%s", size, diff)
		}
	}
}

// A token serves the list that it came from and no other.
func TestTokensOfOtherLists(t *testing.T) {
	p := catalog(t)
	_, token := p.list(t, "ListTaskDefinitions", `"familyPrefix":"a","maxResults":1`, "taskDefinitionArns")
	for _, c := range []badRequest{
		{operation: "ListTaskDefinitions", body: `"familyPrefix":"b"`}, {operation: "ListTaskDefinitions", body: `"familyPrefix":"a","sort":"DESC"`},
		{operation: "ListTaskDefinitionFamilies", body: `"familyPrefix":"a"`}, {operation: "ListClusters", body: `"x":0`},
	} {
		_, err := p.ask(t, "ADMIN", c.operation, fmt.Sprintf(`{%s,"nextToken":%q}`, c.body, token))
		if err == nil || err.Code != parameter || !strings.HasPrefix(err.Message, "Invalid token") {
			t.Errorf("%s %s: got %v", c.operation, c.body, err)
		}
	}
}

// A family's numbers are never used twice, also not when all its revisions are gone.
func TestRevisionsAreNotUsedTwice(t *testing.T) {
	p := newLaunchPad(t)
	for _, want := range []string{"f:1", "f:2", "f:3"} {
		if out := p.must(t, "RegisterTaskDefinition", newRevision("f")); !strings.Contains(out, "task-definition/"+want+`"`) {
			t.Fatalf("got %s, want %s", out, want)
		}
		p.discard(t, want)
		if p.store.View().Definitions.Get(padScope.TaskDefinition("f", int(want[2]-'0'))) != nil {
			t.Fatalf("%s is still there", want)
		}
	}
}

// A deleted definition stays while a task refers to it, also a stopped one, whose description needs it.
func TestDeletedDefinitionInUse(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	p.discard(t, "web:1")
	d := p.store.View().Definitions.Get(padScope.TaskDefinition("web", 1))
	if d == nil || d.Definition.Status != types.TaskDefinitionStatusDeleteInProgress || d.Definition.DeleteRequestedAt == nil {
		t.Errorf("got %+v", d)
	}
}
