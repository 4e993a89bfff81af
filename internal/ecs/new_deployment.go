package ecs

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Begin puts a new PRIMARY deployment with the service's present definition in front of the others, which become ACTIVE. s must be a Clone.
// id is "ecs-svc/" and 19 digits. Counts and the desired count of the new deployment are 0 until the controller takes it up, as on AWS.
func (s *Service) Begin(id string, now time.Time) {
	for i := range s.Deployments {
		d := &s.Deployments[i]
		d.Status = DeploymentActive
		if d.RolloutState == types.DeploymentRolloutStateInProgress {
			d.UpdatedAt = now
		}
	}
	d := Deployment{
		ID: id, Status: DeploymentPrimary, TaskDefinition: s.TaskDefinition, LaunchType: s.LaunchType,
		RolloutState: types.DeploymentRolloutStateInProgress, RolloutStateReason: "ECS deployment " + id + " in progress.",
		CapacityProviderStrategy: s.CapacityProviderStrategy, PlatformVersion: ResolvedPlatform(s.PlatformVersion), NetworkConfiguration: s.NetworkConfiguration,
		CreatedAt: now, UpdatedAt: now,
	}
	s.Deployments = append([]Deployment{d}, s.Deployments...)
	s.SteadyAt = nil
}
