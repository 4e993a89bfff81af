package events

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/placement"
)

// Action is the detail of a service action. Reason and ContainerInstanceArns stand with tasks that found no place.
type Action struct {
	EventType             string         `json:"eventType"` // INFO, WARN, ERROR
	EventName             string         `json:"eventName"`
	ClusterArn            arn.Cluster    `json:"clusterArn"`
	ContainerInstanceArns []arn.Instance `json:"containerInstanceArns,omitempty"`
	Reason                string         `json:"reason,omitempty"`
	TaskSetArns           []string       `json:"taskSetArns,omitempty"`
	CreatedAt             string         `json:"createdAt"`
}

// Deployment is the detail of a deployment's event.
type Deployment struct {
	EventType    string      `json:"eventType"` // INFO, ERROR
	EventName    string      `json:"eventName"`
	ClusterArn   arn.Cluster `json:"clusterArn"`
	DeploymentID string      `json:"deploymentId"`
	UpdatedAt    string      `json:"updatedAt"`
	Reason       string      `json:"reason"`
}

// The types of service actions and deployment events.
const (
	info      = "INFO"
	warning   = "WARN"
	erroneous = "ERROR"
)

// actions are the service events that EventBridge knows by a name, told by how their text begins. Others (which tasks were started) are
// seen in DescribeServices only, as on AWS, but for those that balance availability zones.
var actions = []struct{ begins, contains, kind, name string }{
	{"has reached a steady state.", "", info, "SERVICE_STEADY_STATE"},
	{"updated state to STEADY_STATE.", "", info, "TASKSET_STEADY_STATE"},
	{"has stopped ", "", info, "TASKS_STOPPED"},
	{"stopped ", " pending tasks.", info, "TASKS_STOPPED"},
	{"has started ", " to AZ Rebalance: ", info, "TASKS_STARTED"},
	{"is not AZ balanced with ", "", info, "SERVICE_REBALANCING_STARTED"},
	{"is AZ balanced with ", "", info, "SERVICE_REBALANCING_COMPLETED"},
	{deployment.Immovable, "", info, "TASKSET_SCALE_IN_FAILURE_BY_TASK_PROTECTION"},
	{"is unable to consistently start tasks successfully.", "", warning, "SERVICE_TASK_START_IMPAIRED"},
	{"was unable to place a task because ", "", erroneous, "SERVICE_TASK_PLACEMENT_FAILURE"},
	{deployment.NoCapacity, "", erroneous, "SERVICE_TASK_PLACEMENT_FAILURE"},
	{deployment.NotLaunched, "", erroneous, "SERVICE_TASK_CONFIGURATION_FAILURE"},
	{"is unable to place a task in ", "", erroneous, "SERVICE_TASK_PLACEMENT_FAILURE"},
	{deployment.Violated, "", erroneous, "SERVICE_DAEMON_PLACEMENT_CONSTRAINT_VIOLATED"},
}

// serviceAction is the event of a line of a service's events.
func serviceAction(e *ecs.Event) []Event {
	set, said := deployment.ReadEvent(e.ServiceArn, e.Message)
	for _, a := range actions {
		if !strings.HasPrefix(said, a.begins) || !strings.Contains(said, a.contains) {
			continue
		}
		cluster := e.ServiceArn.Cluster()
		detail := Action{EventType: a.kind, EventName: a.name, ClusterArn: cluster, CreatedAt: moment(e.CreatedAt)}
		if set != "" {
			of := &ecs.Service{ServiceArn: e.ServiceArn}
			detail.TaskSetArns = []string{of.TaskSetArn(set)}
		}
		if said == deployment.NoCapacity {
			detail.Reason = "RESOURCE:FARGATE"
		} else if id, reason, ok := placement.ReadServiceEvent(said); ok {
			detail.Reason = reason.String()
			if id != "" {
				detail.ContainerInstanceArns = []arn.Instance{cluster.Instance(id)}
			} else {
				detail.Reason = placement.NoInstances
			}
		}
		return []Event{event(ServiceAction, string(e.ServiceArn), cluster, e.CreatedAt, e.ID, detail)}
	}
	return nil
}

// deployments are the events of deployments that are new or moved to another rollout state, the oldest deployment first.
func deployments(old, new *ecs.Service, at time.Time) (out []Event) {
	for i := len(new.Deployments) - 1; i >= 0; i-- {
		d := &new.Deployments[i]
		if before(old, d.ID) == d.RolloutState {
			continue
		}
		detail := Deployment{ClusterArn: new.ServiceArn.Cluster(), DeploymentID: d.ID, UpdatedAt: moment(d.UpdatedAt), Reason: d.RolloutStateReason, EventType: info}
		switch d.RolloutState {
		case types.DeploymentRolloutStateInProgress:
			detail.EventName = "SERVICE_DEPLOYMENT_IN_PROGRESS"
		case types.DeploymentRolloutStateCompleted:
			detail.EventName = "SERVICE_DEPLOYMENT_COMPLETED"
		case types.DeploymentRolloutStateFailed:
			detail.EventName, detail.EventType = "SERVICE_DEPLOYMENT_FAILED", erroneous
		default:
			continue
		}
		id := identity(DeploymentStateChange, new.Key()+" "+d.ID+" "+string(d.RolloutState), d.UpdatedAt.UnixMilli())
		out = append(out, event(DeploymentStateChange, new.Key(), detail.ClusterArn, at, id, detail))
	}
	return out
}

// before is the rollout state that a deployment had, "" for a new one.
func before(s *ecs.Service, id string) types.DeploymentRolloutState {
	if s != nil {
		if d := s.Deployment(id); d != nil {
			return d.RolloutState
		}
	}
	return ""
}
