package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/placement"
	"berth/internal/state"
)

// startTask starts one task on each of the named container instances, as far as they have room. The others are in the answer's failures.
func (l *launcher) startTask(ctx context.Context, r *frontdoor.Request, in *awsecs.StartTaskInput) (*awsecs.StartTaskOutput, error) {
	if len(in.ContainerInstances) == 0 {
		return nil, apierr.InvalidParameter("Container Instances cannot be empty.")
	}
	if len(in.ContainerInstances) > ecs.InstancesPerStartTask {
		return nil, apierr.InvalidParameter("instanceIds can have at most %d items.", ecs.InstancesPerStartTask)
	}
	if err := noBlank("Container instance", in.ContainerInstances); err != nil {
		return nil, err
	}
	asked := &launching{
		api:     l.API,
		cluster: in.Cluster, definition: in.TaskDefinition, group: in.Group, startedBy: in.StartedBy, referenceID: in.ReferenceId,
		overrides: in.Overrides, propagateTags: in.PropagateTags, tags: in.Tags, managedTags: in.EnableECSManagedTags,
		executeCommand: in.EnableExecuteCommand, capacity: capacity{launchType: types.LaunchTypeEc2, network: in.NetworkConfiguration}, volumeConfigurations: in.VolumeConfigurations,
	}
	if err := asked.validate(l.overrides); err != nil {
		return nil, err
	}
	out := &awsecs.StartTaskOutput{}
	err := l.store.Update(ctx, func(tx *state.Tx) error {
		o, err := asked.resolve(tx.Tables, r, now())
		if err != nil {
			return err
		}
		tasks, failures, err := o.startOn(tx, in.ContainerInstances)
		out.Tasks, out.Failures = startedTasks(tx.Tables, tasks), failures
		return err
	})
	if err != nil {
		return nil, err
	}
	noteTasks(r, out.Tasks)
	return out, nil
}

// startOn starts a task on each instance that takes it, one after another: an instance that is named twice must have room for two. A task on an
// external instance is of launch type EXTERNAL, which its definition must support.
func (o *order) startOn(tx *state.Tx, names []string) (tasks []*ecs.Task, failures []types.Failure, err error) {
	failures = []types.Failure{}
	request := o.request(1)
	for _, name := range names {
		a, err := instanceARN(o.cluster, name)
		if err != nil {
			return nil, nil, err
		}
		i := tx.Instances.Get(a)
		if i == nil {
			failures = append(failures, failure(string(a), "MISSING"))
			continue
		}
		request.LaunchType = i.LaunchType()
		if err := supports(o.definition, request.LaunchType); err != nil {
			return nil, nil, err
		}
		if v := placement.Check(tx.FleetForOthers(o.cluster), request, i); v.Reason != placement.None {
			failures = append(failures, failure(string(a), v.Reason.String()))
			continue
		}
		tasks = append(tasks, o.start(tx, i))
	}
	return tasks, failures, nil
}

// instanceARN reads the name of a container instance of a cluster: its id or its ARN. An ARN of another kind or cluster is an error.
func instanceARN(c arn.Cluster, name string) (arn.Instance, error) {
	id, err := name, error(nil)
	if arn.Is(name) {
		id, err = inCluster(c, "container-instance", name)
	} else {
		id, err = short(name)
	}
	return c.Instance(id), err
}
