package ecs

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// ServiceRevision is what a service's tasks are made of, as one deployment rolls it out. It never changes but for the digests of its images,
// which the first tasks tell. Written by: the service operations, and reports on tasks (ContainerImages: Learn).
type ServiceRevision struct {
	ServiceRevisionArn       string
	TaskDefinition           arn.TaskDefinition
	LaunchType               types.LaunchType
	CapacityProviderStrategy []types.CapacityProviderStrategyItem
	PlatformVersion          string
	NetworkConfiguration     *types.NetworkConfiguration
	ContainerImages          []types.ContainerImage
	CreatedAt                time.Time
	Unknown                  Unknown
}

func (*ServiceRevision) Kind() Kind    { return KindServiceRevision }
func (r *ServiceRevision) Key() string { return r.ServiceRevisionArn }

// ServiceDeployment is the way of a service from the revisions that it had to another one, and what became of it. Written by: the service
// operations at birth and when it is to stop, then controller services.
type ServiceDeployment struct {
	ServiceDeploymentArn    string
	Target                  Rollout
	Sources                 []Rollout
	Status                  types.ServiceDeploymentStatus
	StatusReason            string
	DeploymentConfiguration *types.DeploymentConfiguration
	Rollback                *types.Rollback
	Failures                int  // of the target's tasks, as the circuit breaker counts them, when it was over
	Triggered               bool // the circuit breaker has ended it
	CreatedAt               time.Time
	StartedAt               *time.Time
	StoppedAt               *time.Time
	FinishedAt              *time.Time
	UpdatedAt               time.Time
	Unknown                 Unknown
}

// Rollout is a revision's part in a service deployment. The numbers count once that is over; until then the tasks are counted.
type Rollout struct {
	Deployment                  string // ecs-svc/<19 digits>
	Requested, Running, Pending int
}

func (*ServiceDeployment) Kind() Kind    { return KindServiceDeployment }
func (d *ServiceDeployment) Key() string { return d.ServiceDeploymentArn }

// Over reports whether the service deployment has ended, one way or another.
func (d *ServiceDeployment) Over() bool {
	switch d.Status {
	case types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped, types.ServiceDeploymentStatusRollbackSuccessful,
		types.ServiceDeploymentStatusRollbackFailed:
		return true
	}
	return false
}

// Clone copies d as far as it is changed.
func (d *ServiceDeployment) Clone() *ServiceDeployment {
	c := *d
	c.Sources = slices.Clone(d.Sources)
	return &c
}

// Deploy returns the records of the deployment that has just begun (Begin). name is that of the service deployment, 21 characters. s must be a
// Clone: it remembers the service deployment as the one that is going on. Its sources are the deployments that have tasks.
func (s *Service) Deploy(name string, counts func(deployment string) Counts, now time.Time) (*ServiceRevision, *ServiceDeployment) {
	p := s.Primary()
	d := &ServiceDeployment{
		ServiceDeploymentArn: s.child("service-deployment", name), Target: Rollout{Deployment: p.ID}, Status: types.ServiceDeploymentStatusPending,
		DeploymentConfiguration: s.DeploymentConfiguration, CreatedAt: now, UpdatedAt: now,
	}
	for _, old := range s.Deployments[1:] {
		if counts(old.ID).Tasks() == 0 {
			continue
		}
		d.Sources = append(d.Sources, Rollout{Deployment: old.ID})
	}
	s.ServiceDeployment = d.ServiceDeploymentArn
	return &ServiceRevision{
		ServiceRevisionArn: s.Revision(p.ID), TaskDefinition: p.TaskDefinition, LaunchType: p.LaunchType, CreatedAt: now,
		CapacityProviderStrategy: p.CapacityProviderStrategy, PlatformVersion: p.PlatformVersion, NetworkConfiguration: p.NetworkConfiguration,
	}, d
}

// Revision is the ARN of the service revision that a deployment rolls out: it has the deployment's digits.
func (s *Service) Revision(deployment string) string {
	return s.child("service-revision", strings.TrimPrefix(deployment, "ecs-svc/"))
}

// DeploymentsOf begins the ARNs of the service's service deployments.
func (s *Service) DeploymentsOf() string { return s.child("service-deployment", "") }

func (s *Service) child(kind, id string) string {
	prefix, rest, _ := strings.Cut(string(s.ServiceArn), ":service/")
	return prefix + ":" + kind + "/" + rest + "/" + id
}

// End closes the service deployment with the numbers that its revisions have now.
func (d *ServiceDeployment) End(status types.ServiceDeploymentStatus, reason string, counts func(deployment string) Counts, now time.Time) {
	d.Status, d.UpdatedAt, d.FinishedAt = status, now, &now
	if reason != "" {
		d.StatusReason = reason
	}
	d.Target.Count(counts(d.Target.Deployment))
	for i := range d.Sources {
		d.Sources[i].Count(counts(d.Sources[i].Deployment))
	}
}

// Count takes over the sums of the revision's tasks.
func (r *Rollout) Count(c Counts) {
	r.Requested, r.Running, r.Pending = c.WantPending+c.WantRunning, c.Running, c.Pending
}
