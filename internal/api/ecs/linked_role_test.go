package ecs

import (
	"errors"
	"testing"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/access"
	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/policy"
	"berth/internal/state"
	"berth/internal/state/statetest"
)

const noLinkedRole = "InvalidParameterException: Unable to assume the service linked role. Please verify that the ECS service linked role exists."

// mayCreate are rights to make clusters' service-linked role, for one service.
func mayCreate(service string) *policy.Grants {
	return &policy.Grants{Identity: policy.Compile(policy.Source{Document: &policy.Document{Statements: []policy.Statement{{
		Effect: policy.Allow, Actions: []string{"iam:CreateServiceLinkedRole"}, Resources: []string{"*"},
		Conditions: []policy.Condition{{Operator: "StringEquals", Key: "iam:AWSServiceName", Values: []string{service}}},
	}}}})}
}

// TestFirstCluster: the first cluster of an account makes ECS's service-linked role, with the rights of who makes it.
func TestFirstCluster(t *testing.T) {
	s := statetest.Open(t)
	a := New(Config{State: s, MayAttach: func(*state.Tables, string) error { return nil }})
	ask := func(name string, g *policy.Grants) string {
		r := &frontdoor.Request{Scope: padScope, Caller: policy.Principal{ARN: "arn:aws:iam::" + padScope.Account + ":user/u", Account: padScope.Account, Grants: g}}
		_, err := operationOf(a, "CreateCluster").Call(t.Context(), r, &awsecs.CreateClusterInput{ClusterName: &name})
		if e := new(apierr.Error); errors.As(err, &e) {
			return e.Code + ": " + e.Message
		}
		return ""
	}
	if got := ask("first", mayCreate("autoscaling.amazonaws.com")); got != noLinkedRole || s.View().Clusters.Len() > 0 {
		t.Errorf("without the right: %q", got)
	}
	if got := ask("first", mayCreate("ecs.amazonaws.com")); got != "" || access.LinkedRole(s.View().Tables, padScope.Account) == nil {
		t.Errorf("with the right: %q", got)
	}
	if got := ask("second", nil); got != "" { // the role is there
		t.Errorf("the second: %q", got)
	}
}

// TestWithoutLinkedRole: what needs network interfaces is refused where ECS may make none, and leaves nothing behind; other things are not.
func TestWithoutLinkedRole(t *testing.T) {
	awsvpc := padDefinition("vpc", types.TaskDefinition{NetworkMode: types.NetworkModeAwsvpc}, types.ContainerDefinition{Name: new("c"), Memory: new(int32(10))})
	bridge := padDefinition("bridge", types.TaskDefinition{NetworkMode: types.NetworkModeBridge}, types.ContainerDefinition{Name: new("c"), Memory: new(int32(10))})
	a := New(Config{State: statetest.Open(t), MayAttach: func(_ *state.Tables, account string) error {
		if account != padScope.Account {
			t.Errorf("asked for %s", account)
		}
		return &access.ErrLinked{}
	}})
	tables := a.store.View().Tables
	if err := a.mayAttach(tables, padCluster, bridge); err != nil {
		t.Errorf("bridge: %v", err)
	}
	if err := a.mayAttach(tables, padCluster, nil); err != nil {
		t.Errorf("no definition: %v", err)
	}
	e := new(apierr.Error)
	if err := a.mayAttach(tables, padCluster, awsvpc); !errors.As(err, &e) || e.Code+": "+e.Message != noLinkedRole {
		t.Errorf("awsvpc: %v", err)
	}
}
