package ecs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/golden"
)

func TestAttributeStories(t *testing.T) {
	for _, dir := range []string{"put_attributes", "update_container_agent"} {
		golden.Run(t, "testdata/"+dir+"/*.txtar", func(t *testing.T, in map[string]string) (out string) {
			synctest.Test(t, func(t *testing.T) {
				s := &shopper{launchPad: newLaunchPad(t, shop()...)}
				for line := range strings.Lines(in["requests"]) {
					time.Sleep(time.Second)
					out += "> " + line + s.tell(t, strings.TrimSpace(line))
				}
			})
			return out
		})
	}
}

func TestWrongAttributeRequests(t *testing.T) {
	const on = `,"targetId":"i1","targetType":"container-instance"}`
	eleven := strings.TrimSuffix(strings.Repeat(`{"name":"a"`+on+`,`, 11), ",")
	const name = `letters, digits, hyphens, underscores, slashes, back slashes and periods.`
	const value = `The value of the attribute 'a' is invalid: it can have between 1 and 128 letters, digits, hyphens, underscores, periods, at signs, ` +
		`slashes, back slashes, colons and spaces, the latter not at its ends.`
	var all []badRequest
	for _, operation := range []string{"PutAttributes", "DeleteAttributes"} {
		of := func(attributes, code, message string) {
			all = append(all, badRequest{operation, `{"cluster":"demo","attributes":[` + attributes + `]}`, code, message})
		}
		of(``, parameter, "attributes should not be null or empty.")
		of(eleven, parameter, "attributes can have at most 10 items.")
		of(`{"name":""`+on, parameter, "Attribute name should not be null or empty.")
		of(`{"name":"a b"`+on, parameter, "The attribute name 'a b' is invalid: it can have between 1 and 128 "+name)
		of(`{"name":"`+strings.Repeat("a", 129)+`"`+on, parameter, "The attribute name '"+strings.Repeat("a", 129)+"' is invalid: it can have between 1 and 128 "+name)
		of(`{"name":"ecs.os-type"`+on, parameter, "The attribute 'ecs.os-type' cannot be changed: only custom attributes can, whose names do not begin with a reserved prefix.")
		of(`{"name":"com.amazonaws.ecs.capability.x"`+on, parameter,
			"The attribute 'com.amazonaws.ecs.capability.x' cannot be changed: only custom attributes can, whose names do not begin with a reserved prefix.")
		of(`{"name":"a"}`, parameter, "targetId should not be null or empty.")
		of(`{"name":"a","targetId":"i1"}`, parameter, "targetType is required where targetId is not an ARN.")
		of(`{"name":"a","targetId":"i1","targetType":"task"}`, parameter, "targetType should be one of [container-instance]")
		of(`{"name":"a","targetId":"arn:aws:ecs:us-east-1:123456789012:task/demo/mine"}`, parameter,
			"Invalid identifier: Identifier is for a task. The request needs a container instance")
		of(`{"name":"a"`+on+`,{"name":"a"`+on, parameter, "The attribute 'a' is given more than once.")
		of(`{"name":"a"`+on+`,{"name":"a","targetId":"nobody","targetType":"container-instance"}`, "TargetNotFoundException",
			"The specified target was not found: arn:aws:ecs:us-east-1:123456789012:container-instance/demo/nobody")
		of(`{"name":"a","targetId":"dead","targetType":"container-instance"}`, "TargetNotFoundException",
			"The specified target was not found: arn:aws:ecs:us-east-1:123456789012:container-instance/demo/dead")
		all = append(all,
			badRequest{operation, `{"cluster":"nobody","attributes":[{"name":"a"` + on + `]}`, "ClusterNotFoundException", "Cluster not found."},
			badRequest{operation, `{"cluster":"gone","attributes":[{"name":"a"` + on + `]}`, "ClusterNotFoundException", "The referenced cluster was inactive."})
	}
	for _, v := range []string{"", " a", "a ", "a,b", "é", strings.Repeat("v", 129)} {
		all = append(all, badRequest{"PutAttributes", `{"cluster":"demo","attributes":[{"name":"a","value":"` + v + `"` + on + `]}`, parameter, value})
	}
	refuses(t, append(all, []badRequest{
		{"DeleteAttributes", `{"cluster":"demo","attributes":[{"name":"a","value":"v"` + on + `]}`, parameter,
			"The attribute 'a' should be given without a value to delete it."},
		{"ListAttributes", `{"cluster":"demo"}`, parameter, "targetType should not be null or empty."},
		{"ListAttributes", `{"cluster":"demo","targetType":"task"}`, parameter, "targetType should be one of [container-instance]"},
		{"ListAttributes", `{"cluster":"demo","targetType":"container-instance","attributeValue":"v"}`, parameter, "attributeName is required where attributeValue is given."},
		{"ListAttributes", `{"cluster":"demo","targetType":"container-instance","maxResults":101}`, parameter, "maxResults must be between 1 and 100."},
		{"ListAttributes", `{"cluster":"demo","targetType":"container-instance","nextToken":"x"}`, parameter,
			"Invalid token: nextToken is not one that ListAttributes answered to these parameters."},
		{"ListAttributes", `{"cluster":"nobody","targetType":"container-instance"}`, "ClusterNotFoundException", "Cluster not found."},
		{"UpdateContainerAgent", `{"cluster":"demo"}`, parameter, "Container instance can not be blank."},
		{"UpdateContainerAgent", `{"cluster":"demo","containerInstance":"nobody"}`, parameter, "The referenced container instance was not found."},
		{"UpdateContainerAgent", `{"cluster":"demo","containerInstance":"dead"}`, parameter, "The referenced container instance was not found."},
		{"ListContainerInstances", `{"cluster":"demo","filter":" "}`, parameter, "filter ' ' is invalid: a subject is missing at character 2"},
		{"ListContainerInstances", `{"cluster":"demo","filter":"attribute:a =~ (?=b)"}`, parameter,
			"filter 'attribute:a =~ (?=b)' is invalid: an argument is missing at character 16"},
	}...))
}

// TestAttributeLimit: ten custom attributes, however many the agent says; what an instance has can change where it has more.
func TestAttributeLimit(t *testing.T) {
	full := padInstance("full", "us-east-1a", ecs.Active)
	for n := range 12 {
		full.Attributes = append(full.Attributes, types.Attribute{Name: aws.String(fmt.Sprintf("said-%d", n))})
	}
	p := newLaunchPad(t, full)
	put := func(names ...string) string {
		var list []string
		for _, n := range names {
			id, name, _ := strings.Cut(n, "/")
			list = append(list, fmt.Sprintf(`{"name":%q,"value":"v","targetId":%q,"targetType":"container-instance"}`, name, id))
		}
		if _, failed := p.ask(t, "ADMIN", "PutAttributes", `{"cluster":"demo","attributes":[`+strings.Join(list, ",")+`]}`); failed != nil {
			return failed.Code
		}
		return ""
	}
	var ten []string
	for n := range 10 {
		ten = append(ten, fmt.Sprintf("i1/a-%d", n))
	}
	if got := put(ten...); got != "" {
		t.Fatal(got)
	}
	if got := put("i1/a-10"); got != "AttributeLimitExceededException" {
		t.Errorf("an eleventh one: %q", got)
	}
	if got := put("i2/a", "i1/a-11"); got != "AttributeLimitExceededException" {
		t.Errorf("an eleventh one: %q", got)
	}
	if _, has := p.store.View().Instances.Get(padCluster.Instance("i2")).Attribute("a"); has {
		t.Error("a request that failed has changed another instance")
	}
	if got := put("i1/a-3", "full/said-1"); got != "" {
		t.Errorf("other values: %q", got)
	}
	if got := put("full/more"); got != "AttributeLimitExceededException" {
		t.Errorf("one more where the agent said too many: %q", got)
	}
}

// TestAttributePages: page by page the list is that of one page, and it goes on where it was though what it ended with is gone.
func TestAttributePages(t *testing.T) {
	p := newLaunchPad(t)
	list := func(body string) (keys []string, token string) {
		out, failed := p.ask(t, "ADMIN", "ListAttributes", `{"cluster":"demo","targetType":"container-instance"`+body+`}`)
		if failed != nil {
			t.Fatal(failed)
		}
		var answer struct {
			Attributes []struct{ Name, TargetID string }
			NextToken  string
		}
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		for _, a := range answer.Attributes {
			keys = append(keys, a.TargetID+" "+a.Name)
		}
		return keys, answer.NextToken
	}
	put := `{"cluster":"demo","attributes":[{"name":"b","targetId":"i1","targetType":"container-instance"},{"name":"zz","targetId":"i1","targetType":"container-instance"}]}`
	if _, failed := p.ask(t, "ADMIN", "PutAttributes", put); failed != nil {
		t.Fatal(failed)
	}
	all, _ := list("")
	if len(all) != 8 || !slices.IsSorted(all) {
		t.Fatalf("%q", all)
	}
	for _, size := range []int{1, 2, 3, 7} {
		var got []string
		next := ""
		for range 10 {
			items, token := list(fmt.Sprintf(`,"maxResults":%d%s`, size, next))
			got = append(got, items...)
			if next = fmt.Sprintf(`,"nextToken":%q`, token); token == "" {
				break
			}
		}
		if !slices.Equal(got, all) {
			t.Errorf("by %d: %q", size, got)
		}
	}
	_, token := list(`,"maxResults":1`) // ends with i1's b
	gone := `{"cluster":"demo","attributes":[{"name":"b","targetId":"i1","targetType":"container-instance"}]}`
	if _, failed := p.ask(t, "ADMIN", "DeleteAttributes", gone); failed != nil {
		t.Fatal(failed)
	}
	if rest, _ := list(fmt.Sprintf(`,"nextToken":%q`, token)); !slices.Equal(rest, all[1:]) {
		t.Errorf("got %q, want %q", rest, all[1:])
	}
}

// TestAttributeResources: what the policy is asked about.
func TestAttributeResources(t *testing.T) {
	p := newLaunchPad(t)
	const instance = "arn:aws:ecs:us-east-1:123456789012:container-instance/demo/"
	for _, c := range [][3]string{
		{"PutAttributes", `{"cluster":"demo","attributes":[{"name":"a","targetId":"i1"},{"name":"b","targetId":"` + instance + `i2"}]}`, instance + "i1 " + instance + "i2"},
		{"DeleteAttributes", `{"cluster":"demo","attributes":[{"name":"a","targetId":"i1"}]}`, instance + "i1"},
		{"ListAttributes", `{"cluster":"demo"}`, instance + "*"},
		{"UpdateContainerAgent", `{"cluster":"demo","containerInstance":"i1"}`, instance + "i1"},
	} {
		o := p.ops[c[0]]
		in := reflect.New(o.Input)
		if _, err := p.plans[o.Input].DecodeJSON([]byte(c[1]), in.Interface()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(o.Resources(p.request("ADMIN"), in.Interface()), " "); got != c[2] {
			t.Errorf("%s: %s", c[0], got)
		}
	}
}
