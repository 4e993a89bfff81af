package ecs

import (
	"context"
	"slices"
	"strings"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// taskOperations are the operations on tasks that exist.
func (a *API) taskOperations() []frontdoor.Operation {
	tasks := func(r *frontdoor.Request, cluster *string, names ...string) (out []string) {
		for _, n := range names {
			if x, err := taskARN(r, cluster, &n); err == nil {
				out = append(out, string(x))
			}
		}
		return out
	}
	return []frontdoor.Operation{
		frontdoor.Op("StopTask", a.stopTask).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.StopTaskInput)
			return tasks(r, i.Cluster, text(i.Task))
		}),
		frontdoor.Op("DescribeTasks", a.describeTasks).On(func(r *frontdoor.Request, in any) []string {
			i := in.(*awsecs.DescribeTasksInput)
			return tasks(r, i.Cluster, i.Tasks...)
		}),
		frontdoor.Op("ListTasks", a.listTasks),
	}
}

// stopTask asks for a task's end. The agent and its report do the rest.
func (a *API) stopTask(ctx context.Context, r *frontdoor.Request, in *awsecs.StopTaskInput) (*awsecs.StopTaskOutput, error) {
	if text(in.Task) == "" {
		return nil, apierr.InvalidParameter("Task can not be blank.")
	}
	reason := text(in.Reason)
	if len(reason) > mostReason {
		return nil, apierr.InvalidParameter("reason can be at most %d characters long.", mostReason)
	}
	if reason == "" {
		reason = "Task stopped by user"
	}
	var out types.Task
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		c, err := cluster(tx.Tables, r, in.Cluster)
		if err != nil {
			return err
		}
		x, err := taskARN(r, new(string(c.ClusterArn)), in.Task)
		if err != nil {
			return err
		}
		t := tx.Tasks.Get(x)
		if t == nil {
			return apierr.InvalidParameter("The referenced task was not found.")
		}
		n := t.Clone()
		if n.Stop(now(), types.TaskStopCodeUserInitiated, reason) {
			tx.Put(n)
			t = n
		}
		out = taskView(tx.Tables, t, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.StopTaskOutput{Task: &out}, nil
}

// mostTasks is how many tasks one request describes.
const mostTasks = 100

// describeTasks shows tasks in the order asked for; one that is not known is a failure MISSING.
func (a *API) describeTasks(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeTasksInput) (*awsecs.DescribeTasksOutput, error) {
	switch {
	case len(in.Tasks) == 0:
		return nil, apierr.InvalidParameter("Tasks cannot be empty.")
	case len(in.Tasks) > mostTasks:
		return nil, apierr.InvalidParameter("tasks can have at most %d items, but had %d", mostTasks, len(in.Tasks))
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	tags, key := slices.Contains(in.Include, types.TaskFieldTags), string(c.ClusterArn)
	out := &awsecs.DescribeTasksOutput{Tasks: make([]types.Task, 0, len(in.Tasks)), Failures: []types.Failure{}}
	for i := range in.Tasks {
		x, err := taskARN(r, &key, &in.Tasks[i])
		if err != nil {
			return nil, err
		}
		if t := v.Tasks.Get(x); t != nil && x.Cluster() == c.ClusterArn {
			out.Tasks = append(out.Tasks, taskView(v.Tables, t, tags))
		} else {
			out.Failures = append(out.Failures, failure(string(x), "MISSING"))
		}
	}
	return out, nil
}

// listTasks lists the ARNs of a cluster's tasks whose desired status is RUNNING, or the one asked for.
func (a *API) listTasks(_ context.Context, r *frontdoor.Request, in *awsecs.ListTasksInput) (*awsecs.ListTasksOutput, error) {
	if err := validateEnum("desiredStatus", in.DesiredStatus); err != nil {
		return nil, err
	}
	if err := validateEnum("launchType", in.LaunchType); err != nil {
		return nil, err
	}
	if in.ServiceName != nil && in.StartedBy != nil {
		return nil, apierr.InvalidParameter("Both serviceName and startedBy cannot be specified at the same time.")
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	keep, err := taskFilter(v.Tables, c, in)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListTasks", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), text(in.Family), text(in.ServiceName),
		text(in.StartedBy), text(in.ContainerInstance), string(in.DesiredStatus), string(in.LaunchType))
	if err != nil {
		return nil, err
	}
	rows := where(v.Tasks.Under(string(c.ClusterArn.Task("")), arn.Task(l.after)), keep)
	found, next := page(l, rows, func(t *ecs.Task) string { return t.Key() })
	return &awsecs.ListTasksOutput{TaskArns: texts(found, func(t *ecs.Task) string { return t.Key() }), NextToken: next}, nil
}

// taskFilter is which tasks a ListTasks request asks for. A service or container instance that is not known is an error, as on AWS.
func taskFilter(t *state.Tables, c *ecs.Cluster, in *awsecs.ListTasksInput) (func(*ecs.Task) bool, error) {
	desired := ecs.TaskStatus(in.DesiredStatus)
	if desired == "" {
		desired = ecs.Running
	}
	var service arn.Service
	if in.ServiceName != nil {
		var err error
		if service, err = serviceARN(c.ClusterArn, *in.ServiceName); err != nil {
			return nil, err
		}
		if t.Services.Get(service) == nil {
			return nil, apierr.ServiceNotFound()
		}
	}
	var instance arn.Instance
	if in.ContainerInstance != nil {
		var err error
		if instance, err = instanceARN(c.ClusterArn, *in.ContainerInstance); err != nil {
			return nil, err
		}
		if t.Instances.Get(instance) == nil {
			return nil, apierr.InvalidParameter("The referenced container instance was not found.")
		}
	}
	return func(x *ecs.Task) bool {
		return x.DesiredStatus == desired && (service == "" || x.Service == service) && (instance == "" || x.ContainerInstanceArn == instance) &&
			(in.Family == nil || x.TaskDefinitionArn.Family() == *in.Family) && (in.StartedBy == nil || strings.HasPrefix(x.StartedBy, *in.StartedBy)) &&
			(in.LaunchType == "" || x.LaunchType == in.LaunchType)
	}, nil
}
