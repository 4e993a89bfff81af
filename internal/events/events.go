// Package events says what changed in the form of Amazon EventBridge's events of Amazon ECS: a change of a record in, events out. It is pure.
//
// A task or container instance has one event for each version of its record (detail.version), as AWS counts them. An event's id follows from
// what it says, so that every replica says the same event with the same id.
package events

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/uuid"
)

// The detail types of ECS's events.
const (
	TaskStateChange       = "ECS Task State Change"
	InstanceStateChange   = "ECS Container Instance State Change"
	ServiceAction         = "ECS Service Action"
	DeploymentStateChange = "ECS Deployment State Change"
)

// Event is one event as EventBridge delivers it.
type Event struct {
	Version    string   `json:"version"` // always "0"
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"`

	Cluster arn.Cluster `json:"-"`
}

// View is what events say besides the changed record.
type View struct {
	Definition func(arn.TaskDefinition) *ecs.TaskDefinition // nil for one that is gone
	// Held is what the tasks of a container instance hold of it, and how many run and are on their way.
	Held func(arn.Instance) (r ecs.Resources, running, pending int)
}

// Maker makes events. It is safe for concurrent use.
type Maker struct{ overrides *awswire.Plan }

// NewMaker returns a Maker.
func NewMaker() *Maker {
	return &Maker{awswire.NewCompiler(awswire.LowerCamel).Plan(reflect.TypeFor[types.TaskOverride]())}
}

// Of returns the events of a change from old to new; either may be nil. at is when the change was published: records do not say when they
// changed last. Most changes of records have no event or one.
func (m *Maker) Of(old, new ecs.Record, v View, at time.Time) []Event {
	switch r := new.(type) {
	case *ecs.Task:
		if was, ok := old.(*ecs.Task); !ok || was.Version != r.Version {
			return []Event{m.task(r, v, at)}
		}
	case *ecs.Instance:
		if r.ContainerInstanceArn.Cluster() == arn.Pool {
			return nil
		}
		if was, ok := old.(*ecs.Instance); !ok || was.Version != r.Version {
			return []Event{instance(r, v, at)}
		}
	case *ecs.Event:
		if old == nil {
			return serviceAction(r)
		}
	case *ecs.Service:
		was, _ := old.(*ecs.Service)
		return deployments(was, r, at)
	}
	return nil
}

// event fills in the envelope.
func event(kind string, resource string, cluster arn.Cluster, at time.Time, id string, detail any) Event {
	scope := arn.ScopeOf(cluster)
	return Event{
		Version: "0", ID: id, DetailType: kind, Source: "aws.ecs", Account: scope.Account, Time: second(at), Region: scope.Region,
		Resources: []string{resource}, Detail: detail, Cluster: cluster,
	}
}

// identity is a UUID that follows from what it is given.
func identity(kind, what string, version any) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%v", kind, what, version))
	return uuid.Of(h[:])
}

// second is a time as the envelope has it, without fractions.
func second(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// moment is a time as details have it: milliseconds, without zeros at the end.
func moment(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.999Z")
}

// momentOf is "" for a time that has not come.
func momentOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return moment(*t)
}

// attribute is a name with a value, or without one.
type attribute struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
