// Package ecs serves the operations of Amazon ECS, one file each: it validates a request as AWS does, reads one snapshot or makes one
// Update, and answers. What follows from a changed record (tasks started and stopped, messages to agents) is the controllers' work.
package ecs

import (
	"reflect"
	"slices"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// API are the operations over one store.
type API struct {
	store        *state.Store
	config       Config
	registration *awswire.Plan // of RegisterTaskDefinition's input, to know its size
}

// Config is what the operations need besides the store.
type Config struct {
	State *state.Store
	// Quotas protect users from themselves.
	Quotas ecs.Quotas
	// Assume says whether ECS can assume a role for tasks of a cluster; its text is AWS's where it cannot. nil looks at no role.
	Assume func(t *state.Tables, c arn.Cluster, role string) error
	// MayAttach says whether ECS may make network interfaces for tasks in an account, with its service-linked role; its text is AWS's where it may not. nil: it
	// may, and the role does not matter.
	MayAttach func(t *state.Tables, account string) error
	// Placed is told of every decision where tasks go, for the metrics. nil tells nobody.
	Placed func(placed, refused int, took time.Duration)
	// Sessions opens sessions in containers. nil opens none.
	Sessions Sessions
	// MayExec says whether a task's role allows what a session in its containers needs. nil: every role does.
	MayExec func(t *state.Tables, task *ecs.Task) bool
}

// New returns the operations.
func New(c Config) *API {
	c.Quotas = c.Quotas.Filled()
	input := reflect.TypeFor[awsecs.RegisterTaskDefinitionInput]()
	return &API{store: c.State, config: c, registration: awswire.NewCompiler(awswire.LowerCamel).Plan(input)}
}

// Service is the table that the front door dispatches by.
func (a *API) Service() frontdoor.Service {
	s := frontdoor.Service{
		Name: "ecs", Protocol: frontdoor.AWSJSON11, Names: awswire.LowerCamel,
		Target: "AmazonEC2ContainerServiceV20141113",
		Operations: slices.Concat(
			a.clusterOperations(), a.accountOperations(), a.definitionOperations(), a.tagOperations(),
			a.serviceOperations(), a.serviceDeploymentOperations(), a.taskSetOperations(), a.taskOperations(), a.instanceOperations(), a.attributeOperations(),
			a.placingOperations(), a.agentOperations(),
		),
		Known: Operations(), Rates: rates(), ResourceTags: a.resourceTags,
	}
	for i := range s.Operations {
		s.Operations[i].Keys = a.conditionKeys
	}
	return s
}

// now is the time that goes into records: they keep milliseconds.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// clusterARN reads a request's cluster: a name or an ARN; "default" where it is absent. A string that is neither is an error.
func clusterARN(r *frontdoor.Request, name *string) (arn.Cluster, error) {
	if name == nil || *name == "" {
		return r.Scope.Cluster("default"), nil
	}
	if r.Scope.Account == arn.PoolAccount && arn.Is(*name) { // a member of the pool: it speaks of tasks of all accounts, and of the pool
		return arn.Cluster(*name), nil
	}
	if !arn.Is(*name) {
		if err := validateName("Cluster", *name); err != nil {
			return "", err
		}
		return r.Scope.Cluster(*name), nil
	}
	rest, err := identify(r.Scope, "cluster", *name)
	if err != nil {
		return "", err
	}
	if _, err := short(rest); err != nil {
		return "", err
	}
	return arn.Cluster(*name), nil
}

// cluster finds the ACTIVE cluster that a request names.
func cluster(t *state.Tables, r *frontdoor.Request, name *string) (*ecs.Cluster, error) {
	a, err := clusterARN(r, name)
	if err != nil {
		return nil, err
	}
	c := t.Clusters.Get(a)
	if c == nil {
		return nil, apierr.ClusterNotFound()
	}
	if c.Status == ecs.Inactive {
		return nil, apierr.ClusterInactive()
	}
	return c, nil
}
