package ecs

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the policy is asked about for operations on clusters, task definitions and tags. nil stands for "*".
func TestCatalogResources(t *testing.T) {
	const arn = "arn:aws:ecs:us-east-1:123456789012:"
	p := newLaunchPad(t)
	for _, c := range []struct {
		operation, body string
		want            []string
	}{
		{"CreateCluster", `{"clusterName":"new"}`, nil},
		{"ListClusters", `{}`, nil},
		{"DescribeClusters", `{}`, []string{arn + "cluster/default"}},
		{"DescribeClusters", `{"clusters":["a","` + arn + `cluster/b"]}`, []string{arn + "cluster/a", arn + "cluster/b"}},
		{"UpdateCluster", `{"cluster":"a"}`, []string{arn + "cluster/a"}},
		{"UpdateClusterSettings", `{"cluster":"a"}`, []string{arn + "cluster/a"}},
		{"PutClusterCapacityProviders", `{"cluster":"a"}`, []string{arn + "cluster/a"}},
		{"DeleteCluster", `{"cluster":"a"}`, []string{arn + "cluster/a"}},
		{"DeleteCluster", `{"cluster":"a b"}`, []string{"a b"}},
		{"RegisterTaskDefinition", `{"family":"f"}`, nil},
		{"DescribeTaskDefinition", `{"taskDefinition":"web"}`, nil},
		{"ListTaskDefinitions", `{}`, nil},
		{"ListTaskDefinitionFamilies", `{}`, nil},
		{"DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`, nil},
		{"DeleteTaskDefinitions", `{"taskDefinitions":["web:1","web","` + arn + `task-definition/web:2"]}`,
			[]string{arn + "task-definition/web:1", "web", arn + "task-definition/web:2"}},
		{"TagResource", `{"resourceArn":"x"}`, []string{"x"}},
		{"UntagResource", `{"resourceArn":"x"}`, []string{"x"}},
		{"ListTagsForResource", `{"resourceArn":"x"}`, []string{"x"}},
		{"ListTagsForResource", `{}`, nil},
	} {
		o := p.ops[c.operation]
		in := reflect.New(o.Input)
		if _, err := p.plans[o.Input].DecodeJSON([]byte(c.body), in.Interface()); err != nil {
			t.Fatal(err)
		}
		var got []string
		if o.Resources != nil {
			got = o.Resources(p.request("ADMIN"), in.Interface())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.operation, c.body, diff)
		}
	}
}
