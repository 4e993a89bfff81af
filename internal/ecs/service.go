package ecs

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
)

// Service is a service with its deployments. Written by: the service operations (what the user wants) and controller services (Deployments,
// SteadyAt, EventSeq and Said, and Status from DRAINING to INACTIVE).
type Service struct {
	ServiceArn                    arn.Service
	Status                        string // ACTIVE, DRAINING, INACTIVE
	DesiredCount                  int
	TaskDefinition                arn.TaskDefinition
	LaunchType                    types.LaunchType // "" with a capacity provider strategy
	CapacityProviderStrategy      []types.CapacityProviderStrategyItem
	LaunchTypeBefore              types.LaunchType // the one that a capacity provider strategy took the place of
	PlatformVersion               string           // on Fargate, as asked for: LATEST
	NetworkConfiguration          *types.NetworkConfiguration
	SchedulingStrategy            types.SchedulingStrategy
	DeploymentConfiguration       *types.DeploymentConfiguration
	DeploymentController          *types.DeploymentController
	PlacementConstraints          []types.PlacementConstraint
	PlacementStrategy             []types.PlacementStrategy
	AvailabilityZoneRebalancing   types.AvailabilityZoneRebalancing
	HealthCheckGracePeriodSeconds *int32
	EnableECSManagedTags          bool
	EnableExecuteCommand          bool
	PropagateTags                 types.PropagateTags
	CreatedAt                     time.Time
	CreatedBy                     string
	Tags                          []types.Tag

	ServiceDeployment string // the ARN of the service deployment that is going on, "" where none is

	Deployments []Deployment // PRIMARY first, then older ones that still have tasks; or task sets, not always with a PRIMARY one
	InactiveAt  *time.Time   // when it became INACTIVE
	SteadyAt    *time.Time   // since when the service is steady without a break, nil while it is not
	Surge       int          // tasks beyond the desired count, started to balance availability zones until as many stop elsewhere
	EventSeq    int64        // number of the newest event
	Said        []Said       // what was said lately and is not said again while it lasts
	Unknown     Unknown
}

func (*Service) Kind() Kind    { return KindService }
func (s *Service) Key() string { return string(s.ServiceArn) }

// Primary is the deployment that new tasks belong to, nil if the service has none.
func (s *Service) Primary() *Deployment {
	if len(s.Deployments) == 0 || s.Deployments[0].Status != DeploymentPrimary {
		return nil
	}
	return &s.Deployments[0]
}

// Deployment is the service's deployment with that id, nil if it has none.
func (s *Service) Deployment(id string) *Deployment {
	for i := range s.Deployments {
		if s.Deployments[i].ID == id {
			return &s.Deployments[i]
		}
	}
	return nil
}

// IsDaemon reports whether the service runs one task on each container instance that suits it.
func (s *Service) IsDaemon() bool { return s.SchedulingStrategy == types.SchedulingStrategyDaemon }

// RunsOn is the launch type that the service counts as: with a capacity provider strategy that of its providers, which are all Fargate's.
func (s *Service) RunsOn() types.LaunchType {
	if s.PlatformVersion != "" {
		return types.LaunchTypeFargate
	}
	return s.LaunchType
}

// Clone copies s far enough that deployments can be changed in the copy.
func (s *Service) Clone() *Service {
	c := *s
	c.Deployments = append([]Deployment(nil), s.Deployments...)
	for i := range c.Deployments {
		if t := c.Deployments[i].TaskSet; t != nil {
			c.Deployments[i].TaskSet = new(*t)
		}
	}
	c.Said = append([]Said(nil), s.Said...)
	return &c
}

// Said is a text in a service's events that is left out while its cause lasts (up to six hours), as ECS does.
type Said struct {
	Topic string // steady, placement, ...
	Text  string
	At    time.Time
}

// Status of a deployment.
const (
	DeploymentPrimary = "PRIMARY"
	DeploymentActive  = "ACTIVE"
)

// Deployment is one rollout of a service: which definition its tasks have and how far it is. It carries all that a rollback needs.
// Counts of tasks are aggregates of the store and not kept here. Written by: the service operations at birth, then controller services only.
type Deployment struct {
	ID                 string `json:"id"` // ecs-svc/<19 digits>
	Status             string
	TaskDefinition     arn.TaskDefinition
	LaunchType         types.LaunchType // "" with a capacity provider strategy
	DesiredCount       int              // what an old deployment may still keep; the primary's follows the service
	FailedTasks        int              // failures in a row that the circuit breaker counts
	HealthyThen        int              // healthy tasks at the last of them: one more ends the row
	RolloutState       types.DeploymentRolloutState
	RolloutStateReason string
	CreatedAt          time.Time
	UpdatedAt          time.Time
	Rollback           bool // it undoes another, by the circuit breaker or by request
	ByBreaker          bool // that was the circuit breaker
	// Failures in a row that throttle starts, when the last one was, and when the next start is allowed.
	Failures                 int
	FailedAt                 *time.Time
	NextStartAt              *time.Time
	CapacityProviderStrategy []types.CapacityProviderStrategyItem
	PlatformVersion          string // on Fargate: 1.4.0
	NetworkConfiguration     *types.NetworkConfiguration
	TaskSet                  *TaskSet // in a service with the deployment controller EXTERNAL
}

// Event is one line of a service's events. Only the newest 100 of a service are kept.
type Event struct {
	ServiceArn arn.Service
	Seq        int64
	ID         string `json:"id"` // a UUID
	CreatedAt  time.Time
	Message    string
	Unknown    Unknown
}

// EventsKept is how many events of a service are kept, as on AWS.
const EventsKept = 100

func (*Event) Kind() Kind    { return KindEvent }
func (e *Event) Key() string { return EventKey(e.ServiceArn, e.Seq) }

// EventKey orders the events of a service by their number.
func EventKey(s arn.Service, seq int64) string { return fmt.Sprintf("%s#%012d", s, seq) }
