package ecs

import (
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TaskSet is what a deployment has beyond others in a service with the deployment controller EXTERNAL: its user makes it, scales it and
// deletes it. The deployment's DesiredCount is its computed desired count, and its status may be DRAINING. Written by: the task set operations
// (what the user wants) and controller services (the deployment's DesiredCount, and stability).
type TaskSet struct {
	ExternalID        string
	ClientToken       string
	Scale             float64 // percent of the service's desired count
	StabilityStatus   types.StabilityStatus
	StabilityStatusAt time.Time
	Tags              []types.Tag
}

// MostTaskSets is how many task sets a service can have, as on AWS.
const MostTaskSets = 5

// IsExternal reports whether somebody else than ECS makes the service's deployments, as task sets.
func (s *Service) IsExternal() bool {
	return s.DeploymentController != nil && s.DeploymentController.Type == types.DeploymentControllerTypeExternal
}

// Computed is how many tasks a scale of the service's desired count is, in percent: rounded up, as ECS does.
func (s *Service) Computed(scale float64) int {
	const rounding = 1e-9 // 110 percent of a number is no task more for how floats are stored
	return int(math.Ceil(float64(s.DesiredCount)*scale/100 - rounding))
}

// AddTaskSet puts a new ACTIVE task set behind the others. s must be a Clone.
func (s *Service) AddTaskSet(d Deployment, now time.Time) *Deployment {
	d.Status, d.CreatedAt, d.UpdatedAt = DeploymentActive, now, now
	d.TaskSet.StabilityStatus, d.TaskSet.StabilityStatusAt = types.StabilityStatusStabilizing, now
	s.Deployments = append(s.Deployments, d)
	s.SteadyAt = nil
	return &s.Deployments[len(s.Deployments)-1]
}

// Promote makes a task set the PRIMARY one, and the service has its task definition and launch type. The one that was becomes ACTIVE. s must be
// a Clone.
func (s *Service) Promote(id string, now time.Time) *Deployment {
	i := slices.IndexFunc(s.Deployments, func(d Deployment) bool { return d.ID == id })
	d := s.Deployments[i]
	if d.Status != DeploymentPrimary {
		if p := s.Primary(); p != nil {
			p.Status, p.UpdatedAt = DeploymentActive, now
		}
		d.Status, d.UpdatedAt = DeploymentPrimary, now
		s.Deployments = slices.Insert(slices.Delete(s.Deployments, i, i+1), 0, d)
	}
	s.TaskDefinition, s.LaunchType = d.TaskDefinition, d.LaunchType
	return &s.Deployments[0]
}

// TaskSetArn is the ARN of the service's task set with that id, which is "ecs-svc/" and 19 digits.
func (s *Service) TaskSetArn(id string) string { return s.child("task-set", id) }
