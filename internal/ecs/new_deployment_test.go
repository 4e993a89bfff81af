package ecs

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"berth/internal/arn"
)

func TestBegin(t *testing.T) {
	then, now := time.Unix(100, 0).UTC(), time.Unix(200, 0).UTC()
	old := &Service{TaskDefinition: "arn:aws:ecs:r:1:task-definition/web:2", LaunchType: types.LaunchTypeEc2, SteadyAt: &then, Deployments: []Deployment{
		{ID: "ecs-svc/2", Status: DeploymentPrimary, DesiredCount: 3, RolloutState: types.DeploymentRolloutStateInProgress, Rollback: true, UpdatedAt: then},
		{ID: "ecs-svc/1", Status: DeploymentActive, DesiredCount: 1, RolloutState: types.DeploymentRolloutStateCompleted, UpdatedAt: then},
	}}
	s := old.Clone()
	s.Begin("ecs-svc/3", now)
	want := []Deployment{
		{
			ID: "ecs-svc/3", Status: DeploymentPrimary, TaskDefinition: arn.TaskDefinition("arn:aws:ecs:r:1:task-definition/web:2"), LaunchType: types.LaunchTypeEc2,
			RolloutState: types.DeploymentRolloutStateInProgress, RolloutStateReason: "ECS deployment ecs-svc/3 in progress.", CreatedAt: now, UpdatedAt: now,
		},
		{ID: "ecs-svc/2", Status: DeploymentActive, DesiredCount: 3, RolloutState: types.DeploymentRolloutStateInProgress, Rollback: true, UpdatedAt: now},
		{ID: "ecs-svc/1", Status: DeploymentActive, DesiredCount: 1, RolloutState: types.DeploymentRolloutStateCompleted, UpdatedAt: then},
	}
	if diff := cmp.Diff(want, s.Deployments); diff != "" {
		t.Error(diff)
	}
	if s.SteadyAt != nil {
		t.Error("still steady")
	}
	if s.Primary().ID != "ecs-svc/3" || old.Primary().ID != "ecs-svc/2" || old.Deployments[0].Status != DeploymentPrimary {
		t.Error("the record that was cloned has changed")
	}
}
