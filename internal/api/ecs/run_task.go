package ecs

import (
	"context"
	"reflect"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/awswire"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/placement"
	"berth/internal/state"
)

// launcher starts tasks: the operations RunTask and StartTask.
type launcher struct {
	*API
	overrides *awswire.Plan // of types.TaskOverride
	input     *awswire.Plan // of RunTaskInput
}

// placingOperations are the operations that place new tasks.
func (a *API) placingOperations() []frontdoor.Operation {
	plans := awswire.NewCompiler(awswire.LowerCamel)
	l := &launcher{a, plans.Plan(reflect.TypeFor[types.TaskOverride]()), plans.Plan(reflect.TypeFor[awsecs.RunTaskInput]())}
	return []frontdoor.Operation{
		frontdoor.Op("RunTask", l.runTask).On(func(r *frontdoor.Request, in any) []string {
			return a.launchResources(r, in.(*awsecs.RunTaskInput).TaskDefinition)
		}).And(func(r *frontdoor.Request, in any) []frontdoor.Question {
			i := in.(*awsecs.RunTaskInput)
			return a.passesLaunched(r, i.TaskDefinition, i.Overrides)
		}),
		frontdoor.Op("StartTask", l.startTask).On(func(r *frontdoor.Request, in any) []string {
			return a.launchResources(r, in.(*awsecs.StartTaskInput).TaskDefinition)
		}).And(func(r *frontdoor.Request, in any) []frontdoor.Question {
			i := in.(*awsecs.StartTaskInput)
			return a.passesLaunched(r, i.TaskDefinition, i.Overrides)
		}),
	}
}

// mostFailures is how many failures an answer lists.
const mostFailures = 100

// runTask places up to ten equal tasks. What finds no place is told in the answer's failures, one for each instance that was looked at.
// Looking and booking are one closure, so that two requests never book the same room.
func (l *launcher) runTask(ctx context.Context, r *frontdoor.Request, in *awsecs.RunTaskInput) (*awsecs.RunTaskOutput, error) {
	count, err := validateRunTask(in)
	if err != nil {
		return nil, err
	}
	asked := &launching{
		api:     l.API,
		cluster: in.Cluster, definition: in.TaskDefinition, group: in.Group, startedBy: in.StartedBy, referenceID: in.ReferenceId,
		overrides: in.Overrides, propagateTags: in.PropagateTags, tags: in.Tags, managedTags: in.EnableECSManagedTags,
		executeCommand: in.EnableExecuteCommand, capacity: capacity{in.LaunchType, in.CapacityProviderStrategy, text(in.PlatformVersion), in.NetworkConfiguration},
		volumeConfigurations: in.VolumeConfigurations,
	}
	if err := asked.validate(l.overrides); err != nil {
		return nil, err
	}
	seed := newSeed()
	once, err := l.once(r, in)
	if err != nil {
		return nil, err
	}
	var out *awsecs.RunTaskOutput
	err = l.store.Update(ctx, func(tx *state.Tx) error {
		at := now()
		if before, err := once.before(tx.Tables, at); before != nil || err != nil {
			out = before
			return err
		}
		o, err := asked.resolve(tx.Tables, r, at)
		if err != nil {
			return err
		}
		if err := o.capacity.placeable(in.PlacementConstraints, in.PlacementStrategy); err != nil {
			return err
		}
		if err := constraintsInAll(in.PlacementConstraints, o.definition); err != nil {
			return err
		}
		request := o.request(count)
		request.Strategy, request.Constraints, request.Seed = in.PlacementStrategy, placement.Constraints(in.PlacementConstraints, o.definition), seed
		began := time.Now()
		out, err = o.place(tx, request, once)
		if l.config.Placed != nil && err == nil {
			l.config.Placed(len(out.Tasks), count-len(out.Tasks), time.Since(began))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	noteTasks(r, out.Tasks)
	return out, nil
}

// noteTasks puts the tasks that were started into the request's log.
func noteTasks(r *frontdoor.Request, tasks []types.Task) {
	for i := range tasks {
		r.Tasks = append(r.Tasks, arn.Task(text(tasks[i].TaskArn)))
	}
}

// validateRunTask checks what only RunTask has, and returns how many tasks are wanted.
func validateRunTask(in *awsecs.RunTaskInput) (count int, err error) {
	count = 1
	if in.Count != nil {
		count = int(*in.Count)
	}
	switch {
	case count < 1 || count > ecs.TasksPerRunTask:
		return 0, apierr.InvalidParameter("count should be between 1 and %d, but was %d", ecs.TasksPerRunTask, count)
	}
	if err := validateStrategies(in.PlacementStrategy); err != nil {
		return 0, err
	}
	return count, validateConstraints(in.PlacementConstraints)
}

// place decides, and stores the tasks and the request.
func (o *order) place(tx *state.Tx, request placement.Request, once *oneRequest) (*awsecs.RunTaskOutput, error) {
	if o.capacity.fargate() {
		tasks, refused := o.onFargate(tx, request.Count)
		failures := make([]types.Failure, refused)
		for i := range failures {
			failures[i] = types.Failure{Reason: new(ecs.CapacityUnavailable)}
		}
		once.remember(tx, tasks, failures, o.now)
		return &awsecs.RunTaskOutput{Tasks: startedTasks(tx.Tables, tasks), Failures: failures}, nil
	}
	fleet := tx.FleetForOthers(o.cluster)
	if !placement.Populated(fleet) {
		return nil, apierr.InvalidParameter("No Container Instances were found in your cluster.")
	}
	plan := placement.Decide(fleet, request)
	var tasks []*ecs.Task
	for _, i := range plan.Placed {
		tasks = append(tasks, o.start(tx, tx.Instances.Get(i)))
	}
	failures := []types.Failure{}
	if plan.Refused > 0 {
		failures = refusals(fleet, request)
	}
	once.remember(tx, tasks, failures, o.now)
	return &awsecs.RunTaskOutput{Tasks: startedTasks(tx.Tables, tasks), Failures: failures}, nil
}

// refusals says of each instance why it takes no more, up to a hundred of them. fleet already has what was placed.
func refusals(fleet placement.Fleet, request placement.Request) []types.Failure {
	out := []types.Failure{}
	for _, v := range placement.Explain(fleet, request) {
		if v.Reason == placement.None || v.Reason == placement.Inactive {
			continue // what is draining was not tried
		}
		if len(out) == mostFailures {
			break
		}
		out = append(out, failure(string(v.Instance), v.Reason.String()))
	}
	return out
}

func failure(resource, reason string) types.Failure {
	return types.Failure{Arn: &resource, Reason: &reason}
}

// taskARNs are the identities of tasks.
func taskARNs(tasks []*ecs.Task) (out []arn.Task) {
	for _, t := range tasks {
		out = append(out, t.TaskArn)
	}
	return out
}
