package ecs

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// Tags are shown where they are included. Where they are not, some answers show an empty list, and others none at all.
func TestTagsAreIncluded(t *testing.T) {
	i := padInstance("tagged", "us-east-1a", ecs.Active)
	i.Tags = []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
	p := newLaunchPad(t, append(shop(), i)...)
	p.must(t, "TagResource", `{"resourceArn":"arn:aws:ecs:us-east-1:123456789012:cluster/demo","tags":[{"key":"k","value":"v"}]}`)
	for _, test := range []struct{ operation, members, list, without string }{
		{"DescribeClusters", `"clusters":["demo"]`, "clusters", "[]"},
		{"DescribeServices", `"cluster":"demo","services":["web"]`, "services", ""},
		{"DescribeTasks", `"cluster":"demo","tasks":["mine"]`, "tasks", "[]"},
		{"DescribeContainerInstances", `"cluster":"demo","containerInstances":["tagged"]`, "containerInstances", "[]"},
		{"DescribeTaskSets", `"cluster":"demo","service":"sets","taskSets":["` + deploymentNumber(21) + `"]`, "taskSets", "[]"},
		{"DescribeTaskDefinition", `"taskDefinition":"web"`, "", ""},
	} {
		tags := func(include string) string {
			var out map[string]json.RawMessage
			if err := json.Unmarshal([]byte(p.must(t, test.operation, `{`+test.members+include+`}`)), &out); err != nil {
				t.Fatal(err)
			}
			if test.list != "" {
				var items []map[string]json.RawMessage
				if err := json.Unmarshal(out[test.list], &items); err != nil || len(items) != 1 {
					t.Fatalf("%s: %v, %d items", test.operation, err, len(items))
				}
				out = items[0]
			}
			return string(out["tags"])
		}
		if got := tags(""); got != test.without {
			t.Errorf("%s without TAGS: tags %s, want %s", test.operation, got, test.without)
		}
		if got := tags(`,"include":["TAGS"]`); len(got) < len(`[{"key":"k"}]`) {
			t.Errorf("%s with TAGS: tags %s", test.operation, got)
		}
	}
}

// How long a page is where the request does not say it.
func TestDefaultPages(t *testing.T) {
	var records []ecs.Record
	for n := range 101 {
		name := fmt.Sprintf("n%03d", n)
		task := ecs.NewTask(ecs.TaskSpec{Task: padCluster.Task(name), Definition: padDefinition("web", types.TaskDefinition{}),
			Instance: padInstance("i1", "", ecs.Active), Now: shopAt})
		records = append(records, &ecs.Cluster{ClusterArn: padScope.Cluster(name), Status: ecs.Active}, shopService(name, ecs.Active, 0),
			padInstance(name, "us-east-1a", ecs.Active), padDefinition(name, types.TaskDefinition{}), task,
			&ecs.Family{Scope: ecs.FamilyKey(padScope, name), LastRevision: 1})
	}
	p := newLaunchPad(t, records...)
	for _, test := range []struct {
		operation, members, list string
		want                     int
	}{
		{"ListClusters", ``, "clusterArns", 100},
		{"ListServices", `"cluster":"demo"`, "serviceArns", 10},
		{"ListTasks", `"cluster":"demo"`, "taskArns", 100},
		{"ListContainerInstances", `"cluster":"demo"`, "containerInstanceArns", 100},
		{"ListAttributes", `"cluster":"demo","targetType":"container-instance"`, "attributes", 100},
		{"ListTaskDefinitions", ``, "taskDefinitionArns", 100},
		{"ListTaskDefinitionFamilies", ``, "families", 100},
		{"ListAccountSettings", `"effectiveSettings":true`, "settings", 10},
	} {
		var out map[string]json.RawMessage
		var items []any
		if err := json.Unmarshal([]byte(p.must(t, test.operation, `{`+test.members+`}`)), &out); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out[test.list], &items); err != nil {
			t.Fatal(err)
		}
		if len(items) != test.want || out["nextToken"] == nil {
			t.Errorf("%s: a page of %d, want %d; nextToken %s", test.operation, len(items), test.want, out["nextToken"])
		}
	}
}

// What the agent's check of its container runtime said last is the instance's health.
func TestInstanceHealth(t *testing.T) {
	i := padInstance("checked", "us-east-1a", ecs.Active)
	i.RuntimeStatus, i.RuntimeStatusAt = "IMPAIRED", &shopAt
	p := newLaunchPad(t, i)
	ask := func(include string) string {
		return p.must(t, "DescribeContainerInstances", `{"cluster":"demo","containerInstances":["checked"]`+include+`}`)
	}
	const want = `"healthStatus":{"details":[{"lastStatusChange":946684800,"lastUpdated":946684800,"status":"IMPAIRED","type":"CONTAINER_RUNTIME"}],"overallStatus":"IMPAIRED"}`
	if got := ask(`,"include":["CONTAINER_INSTANCE_HEALTH"]`); !strings.Contains(got, want) {
		t.Errorf("got %s", got)
	}
	if got := ask(""); strings.Contains(got, "healthStatus") {
		t.Errorf("not asked for, and shown: %s", got)
	}
}

// A task has at most ten placement constraints, its definition's counted.
func TestConstraintsInAll(t *testing.T) {
	d := padDefinition("tight", types.TaskDefinition{PlacementConstraints: []types.TaskDefinitionPlacementConstraint{
		{Type: types.TaskDefinitionPlacementConstraintTypeMemberOf, Expression: aws.String("attribute:a exists")},
	}}, types.ContainerDefinition{Name: aws.String("c"), Memory: aws.Int32(10)})
	p := newLaunchPad(t, append(shop(), d)...)
	constraints := func(n int) string {
		return `"placementConstraints":[` + strings.TrimSuffix(strings.Repeat(`{"type":"distinctInstance"},`, n), ",") + `]`
	}
	for operation, body := range map[string]string{
		"RunTask":       `{"cluster":"demo","taskDefinition":"tight",`,
		"CreateService": `{"cluster":"demo","serviceName":"s","desiredCount":0,"taskDefinition":"tight",`,
		"UpdateService": `{"cluster":"demo","service":"web","taskDefinition":"tight",`,
	} {
		p.answers(t, operation, body+constraints(10)+`}`, parameter, "Maximum number of constraints is 10")
		p.must(t, operation, body+constraints(9)+`}`)
	}
	p.must(t, "UpdateService", `{"cluster":"demo","service":"quiet",`+constraints(10)+`}`)
	p.answers(t, "UpdateService", `{"cluster":"demo","service":"quiet","taskDefinition":"tight"}`, parameter, "Maximum number of constraints is 10")
}

// What is filled in, or written in another word, shows in the answer.
func TestFilledIn(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	volume := func(v string) string {
		return `{"family":"v","volumes":[` + v + `],"containerDefinitions":[{"name":"c","image":"i","memory":64}]}`
	}
	router := `{"name":"r","image":"r","memory":64,"firelensConfiguration":{"type":"fluentbit"}}`
	service := func(members string) string { return `{"cluster":"demo","service":"web",` + members + `}` }
	for _, test := range []struct{ operation, body, want string }{
		{"RegisterTaskDefinition", volume(`{"name":"v","dockerVolumeConfiguration":{}}`), `"dockerVolumeConfiguration":{"scope":"task"}`},
		{"RegisterTaskDefinition", volume(`{"name":"v","dockerVolumeConfiguration":{"autoprovision":true}}`), `"dockerVolumeConfiguration":{"autoprovision":true,"scope":"shared"}`},
		{"RegisterTaskDefinition", volume(`{"name":"v"}`), `"volumes":[{"name":"v"}]`},
		{"RegisterTaskDefinition", `{"family":"l","containerDefinitions":[` + router + `,{"name":"c","image":"i","memory":64,"logConfiguration":{"logDriver":"awsfirelens",
			"options":{"Name":"forward","log-driver-buffer-limit":"1"}}}]}`, `"requiresAttributes":[{"name":"ecs.capability.firelens.fluentbit"},` +
			`{"name":"com.amazonaws.ecs.capability.logging-driver.awsfirelens"},{"name":"ecs.capability.logging-driver.awsfirelens.log-driver-buffer-limit"}]`},
		{"RegisterTaskDefinition", `{"family":"f","enableFaultInjection":false,"containerDefinitions":[{"name":"c","image":"i","memory":64,"links":[],"privileged":false}]}`,
			`"enableFaultInjection":false`},
		{"UpdateService", service(`"placementStrategy":[{"type":"spread","field":"host"}]`), `"placementStrategy":[{"field":"instanceId","type":"spread"}]`},
		{"UpdateService", service(`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":false,"rollback":true}}`), `"deploymentCircuitBreaker":{"enable":false,"rollback":true}`},
		{"UpdateService", service(`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true}}`),
			`"deploymentCircuitBreaker":{"enable":true,"rollback":true,"resetOnHealthyTask":true,"thresholdConfiguration":{"type":"BOUNDED_PERCENT","value":50}}`},
		{"UpdateService", service(`"healthCheckGracePeriodSeconds":0`), `"healthCheckGracePeriodSeconds":0`},
	} {
		if got := p.must(t, test.operation, test.body); !strings.Contains(got, test.want) {
			t.Errorf("%s\ngot  %s\nwant %s", test.body, got, test.want)
		}
	}
}

// The answer to RunTask names at most a hundred container instances that took no task.
func TestMostFailures(t *testing.T) {
	var records []ecs.Record
	for n := range 101 {
		records = append(records, padInstance(fmt.Sprintf("n%03d", n), "us-east-1a", ecs.Active))
	}
	p := newLaunchPad(t, records...)
	if got := strings.Count(p.must(t, "RunTask", `{"cluster":"demo","taskDefinition":"gpu"}`), `"reason":"ATTRIBUTE"`); got != 100 {
		t.Errorf("%d failures, want 100", got)
	}
}
