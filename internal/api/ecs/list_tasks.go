package ecs

import (
	"cmp"
	"context"
	"iter"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// listTasks answers with the ARNs of a cluster's tasks whose desired status is RUNNING, or as asked for, and that all filters let through.
// No task's desired status is ever PENDING.
func (a *API) listTasks(_ context.Context, r *frontdoor.Request, in *awsecs.ListTasksInput) (*awsecs.ListTasksOutput, error) {
	if err := validateTaskFilter(in); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	f, err := newTaskFilter(view.Tables, c.ClusterArn, in)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListTasks", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), string(f.desired), f.family,
		f.startedBy, string(f.service), string(f.instance), string(f.launchType))
	if err != nil {
		return nil, err
	}
	tasks, next := page(l, where(f.candidates(view.Tables, c.ClusterArn, arn.Task(l.after)), f.keeps), (*ecs.Task).Key)
	return &awsecs.ListTasksOutput{TaskArns: texts(tasks, (*ecs.Task).Key), NextToken: next}, nil
}

func validateTaskFilter(in *awsecs.ListTasksInput) error {
	if err := validateEnum("desiredStatus", in.DesiredStatus); err != nil {
		return err
	}
	if err := validateEnum("launchType", in.LaunchType); err != nil {
		return err
	}
	if err := validateFamilyPrefix(in.Family); err != nil {
		return err
	}
	switch {
	case text(in.DaemonName) != "":
		return notActedOn("daemonName")
	case len(text(in.StartedBy)) > mostStartedBy:
		return apierr.InvalidParameter("startedBy longer than %d.", mostStartedBy)
	case text(in.StartedBy) != "" && (text(in.Family) != "" || text(in.ServiceName) != "" || text(in.ContainerInstance) != ""):
		return apierr.InvalidParameter("startedBy must be the only filter: it cannot be used with family, serviceName or containerInstance.")
	}
	return nil
}

// taskFilter says which tasks are listed. Zero members let all through.
type taskFilter struct {
	desired           ecs.TaskStatus
	family, startedBy string
	service           arn.Service
	instance          arn.Instance
	launchType        types.LaunchType
}

// newTaskFilter reads a request's filters. A service or container instance that the cluster does not have is an error, as on AWS.
func newTaskFilter(t *state.Tables, c arn.Cluster, in *awsecs.ListTasksInput) (f taskFilter, err error) {
	f = taskFilter{desired: ecs.Running, family: text(in.Family), startedBy: text(in.StartedBy), launchType: in.LaunchType}
	if in.DesiredStatus != "" {
		f.desired = ecs.TaskStatus(in.DesiredStatus)
	}
	if name := text(in.ServiceName); name != "" {
		s, err := findService(t, c, name)
		if err != nil {
			return f, err
		}
		if s == nil {
			return f, apierr.ServiceNotFound()
		}
		f.service = s.ServiceArn
	}
	if name := text(in.ContainerInstance); name != "" {
		if f.instance, err = instanceARN(c, name); err != nil {
			return f, err
		}
		if t.Instances.Get(f.instance) == nil {
			return f, apierr.InvalidParameter("The referenced container instance was not found.")
		}
	}
	return f, nil
}

// candidates yields a set of tasks in which those that the filter keeps are, in the order of their ARNs and from one on. Where an index
// gives a small set, it is that one, sorted; else it is the cluster's tasks, of which a page is soon full.
func (f *taskFilter) candidates(t *state.Tables, c arn.Cluster, from arn.Task) iter.Seq[*ecs.Task] {
	rest := func(x *ecs.Task) bool { return x.TaskArn >= from }
	switch {
	case f.instance != "" && f.desired == ecs.Running:
		return inOrder(where(t.Tasks.OnInstance(f.instance), rest)) // a stopped task is not wanted any more
	case f.service != "" && f.few(t):
		return inOrder(where(t.Tasks.OfService(f.service), rest))
	}
	return t.Tasks.Under(string(c.Task("")), from)
}

// few reports whether it is cheaper to sort the service's tasks than to look for a page of them among all.
func (f *taskFilter) few(t *state.Tables) bool {
	n := t.Tasks.ServiceCounts(f.service).Tasks()
	return n < 1000 || n < t.Tasks.Len()/50
}

func inOrder(s iter.Seq[*ecs.Task]) iter.Seq[*ecs.Task] {
	return slices.Values(slices.SortedFunc(s, func(a, b *ecs.Task) int { return cmp.Compare(a.TaskArn, b.TaskArn) }))
}

func (f *taskFilter) keeps(t *ecs.Task) bool {
	return t.DesiredStatus == f.desired && (f.family == "" || t.TaskDefinitionArn.Family() == f.family) &&
		(f.startedBy == "" || t.StartedBy == f.startedBy) && (f.service == "" || t.Service == f.service) &&
		(f.instance == "" || t.ContainerInstanceArn == f.instance) && (f.launchType == "" || t.LaunchType == f.launchType)
}
