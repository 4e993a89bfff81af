package ecs

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const (
	roleA = "arn:aws:iam::123456789012:role/a"
	roleB = "arn:aws:iam::123456789012:role/path/b"
)

// rolesPad has the definition "roles" with the task role a and the execution role b; ECS can assume roles that good names.
func rolesPad(t *testing.T, good ...string) *API {
	d := padDefinition("roles", types.TaskDefinition{TaskRoleArn: new(roleA), ExecutionRoleArn: new(roleB)}, types.ContainerDefinition{Name: new("c"), Memory: new(int32(10))})
	p := newLaunchPad(t, d)
	return New(Config{State: p.store, Assume: func(_ *state.Tables, c arn.Cluster, role string) error {
		if c != padCluster {
			t.Errorf("asked for %s", c)
		}
		if !slices.Contains(good, role) {
			return errors.New("ECS was unable to assume the role '" + role + "'")
		}
		return nil
	}})
}

func operationOf(a *API, name string) frontdoor.Operation {
	all := a.Service().Operations
	return all[slices.IndexFunc(all, func(o frontdoor.Operation) bool { return o.Name == name })]
}

// Whoever hands a role to ECS needs iam:PassRole on it, for ECS's tasks.
func TestPassRole(t *testing.T) {
	a := rolesPad(t)
	r := &frontdoor.Request{Scope: padScope}
	override := &types.TaskOverride{TaskRoleArn: new(roleB)}
	for _, c := range []struct {
		operation string
		in        any
		want      []string
	}{
		{"RegisterTaskDefinition", &awsecs.RegisterTaskDefinitionInput{}, nil},
		{"RegisterTaskDefinition", &awsecs.RegisterTaskDefinitionInput{TaskRoleArn: new(roleA), ExecutionRoleArn: new(roleA)}, []string{roleA}},
		{"RegisterTaskDefinition", &awsecs.RegisterTaskDefinitionInput{ExecutionRoleArn: new("b")}, []string{"arn:aws:iam::123456789012:role/b"}},
		{"RunTask", &awsecs.RunTaskInput{TaskDefinition: new("roles")}, []string{roleA, roleB}},
		{"RunTask", &awsecs.RunTaskInput{TaskDefinition: new("roles"), Overrides: override}, []string{roleB}},
		{"RunTask", &awsecs.RunTaskInput{TaskDefinition: new("none")}, nil},
		{"StartTask", &awsecs.StartTaskInput{TaskDefinition: new("roles")}, []string{roleA, roleB}},
		{"CreateService", &awsecs.CreateServiceInput{TaskDefinition: new("roles")}, []string{roleA, roleB}},
		{"UpdateService", &awsecs.UpdateServiceInput{TaskDefinition: new("roles")}, []string{roleA, roleB}},
		{"UpdateService", &awsecs.UpdateServiceInput{}, nil},
		{"CreateTaskSet", &awsecs.CreateTaskSetInput{TaskDefinition: new("roles")}, []string{roleA, roleB}},
	} {
		var got []string
		for _, q := range operationOf(a, c.operation).Also(r, c.in) {
			if q.Action != "iam:PassRole" || !slices.Equal(q.Keys.Values("iam:passedtoservice"), []string{"ecs-tasks.amazonaws.com"}) {
				t.Errorf("%s asks %+v", c.operation, q)
			}
			got = append(got, q.Resource)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s asks for %q, want %q", c.operation, got, c.want)
		}
	}
}

// A task whose roles ECS cannot assume does not start.
func TestRolesThatECSCannotAssume(t *testing.T) {
	for name, c := range map[string]struct {
		good []string
		want string
	}{
		"both":      {[]string{roleA, roleB}, ""},
		"task":      {[]string{roleA}, "ClientException: ECS was unable to assume the role '" + roleB + "'"},
		"execution": {[]string{roleB}, "ClientException: ECS was unable to assume the role '" + roleA + "'"},
	} {
		a := rolesPad(t, c.good...)
		before := a.store.View().Tasks.Len()
		_, err := operationOf(a, "RunTask").Call(t.Context(), &frontdoor.Request{Scope: padScope}, &awsecs.RunTaskInput{Cluster: new("demo"), TaskDefinition: new("roles")})
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if started := a.store.View().Tasks.Len() - before; started != map[bool]int{true: 1}[c.want == ""] {
			t.Errorf("%s: %d tasks started", name, started)
		}
	}
}

// Policies can ask what a request is about.
func TestConditionKeys(t *testing.T) {
	a := New(Config{State: statetest.Open(t, padDefinition("big", types.TaskDefinition{Cpu: new("512"), Memory: new("1 GB")},
		types.ContainerDefinition{Name: new("c"), Privileged: new(true)}))})
	r := &frontdoor.Request{Scope: padScope}
	network := &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"s1", "s2"}, AssignPublicIp: types.AssignPublicIpEnabled}}
	run := &awsecs.RunTaskInput{Cluster: new("demo"), TaskDefinition: new("big"), NetworkConfiguration: network, EnableExecuteCommand: true}
	definition := string(padScope.TaskDefinition("big", 1))
	for _, c := range []struct {
		in   any
		key  string
		want []string
	}{
		{run, "ecs:cluster", []string{string(padCluster)}},
		{run, "ecs:task-definition", []string{definition}},
		{run, "ecs:task-cpu", []string{"512"}},
		{run, "ecs:task-memory", []string{"1024"}},
		{run, "ecs:privileged", []string{"true"}},
		{run, "ecs:subnet", []string{"s1", "s2"}},
		{run, "ecs:auto-assign-public-ip", []string{"true"}},
		{run, "ecs:enable-execute-command", []string{"true"}},
		{run, "ecs:service", nil},
		{run, "ecs:nothing", nil},
		{&awsecs.RegisterTaskDefinitionInput{Cpu: new("256")}, "ecs:task-cpu", []string{"256"}},
		{&awsecs.RegisterTaskDefinitionInput{Cpu: new("256")}, "ecs:privileged", []string{"false"}},
		{&awsecs.RegisterTaskDefinitionInput{Cpu: new("256")}, "ecs:cluster", nil},
		{&awsecs.DescribeServicesInput{}, "ecs:cluster", []string{string(padScope.Cluster("default"))}},
		{&awsecs.UpdateServiceInput{Cluster: new("demo"), Service: new("web")}, "ecs:service", []string{string(padCluster.Service("web"))}},
		{&awsecs.StartTaskInput{Cluster: new("demo"), ContainerInstances: []string{"i1"}}, "ecs:container-instances", []string{string(padCluster.Instance("i1"))}},
		{&awsecs.ListClustersInput{}, "ecs:cluster", nil},
	} {
		if got := a.conditionKeys(r, c.in).Values(c.key); !slices.Equal(got, c.want) {
			t.Errorf("%s of %s: %q, want %q", c.key, reflect.TypeOf(c.in).Elem().Name(), got, c.want)
		}
	}
}
