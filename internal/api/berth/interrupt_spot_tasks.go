package berth

import (
	"context"
	"slices"
	"time"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// InterruptSpotTasksInput names tasks on Fargate Spot, by one of Task, Service and All.
type InterruptSpotTasksInput struct {
	Cluster *string // of the task or service, "default" where it is absent; with All, only its tasks
	Task    *string // id or ARN
	Service *string // name or ARN
	All     *bool
	Count   *int32 // at most so many, the youngest first; absent: all of them. Not with Task
}

// InterruptSpotTasksOutput are the ARNs of the tasks that were interrupted, the youngest first.
type InterruptSpotTasksOutput struct{ TaskArns []string }

// interruptSpotTasks takes the capacity of Spot tasks back, as AWS does when it needs it: they get SIGTERM now and SIGKILL after their stop timeout, which is two
// minutes at most. Tasks that are stopping already, or that wait for a place, are none.
func (a *API) interruptSpotTasks(ctx context.Context, r *frontdoor.Request, in *InterruptSpotTasksInput) (*InterruptSpotTasksOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	list, err := a.spotTasks(r, in)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b *ecs.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	if in.Count != nil {
		list = list[:min(len(list), int(*in.Count))]
	}
	out := &InterruptSpotTasksOutput{}
	for batch := range slices.Chunk(list, interruptAtOnce) {
		done, err := a.interrupt(ctx, batch)
		if err != nil {
			return nil, err
		}
		out.TaskArns = append(out.TaskArns, done...)
	}
	return out, nil
}

// interruptAtOnce is how many tasks one Update interrupts: what a batch of the store takes.
const interruptAtOnce = 80

func (a *API) interrupt(ctx context.Context, batch []*ecs.Task) (done []string, err error) {
	err = a.State.Update(ctx, func(tx *state.Tx) error {
		now := time.Now().UTC().Truncate(time.Millisecond)
		for _, x := range batch {
			t := tx.Tasks.Get(x.TaskArn)
			if t == nil || t.Over() {
				continue
			}
			if n := t.Clone(); n.Interrupt(now) {
				tx.Put(n)
				done = append(done, string(n.TaskArn))
			}
		}
		return nil
	})
	return done, err
}

// check refuses what names no tasks, or names them twice.
func (in *InterruptSpotTasksInput) check() error {
	named := 0
	for _, is := range []bool{in.Task != nil, in.Service != nil, in.All != nil && *in.All} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return apierr.InvalidParameter("Exactly one of task, service and all must say which tasks are interrupted.")
	case in.Count != nil && in.Task != nil:
		return apierr.InvalidParameter("count can not be specified with task.")
	case in.Count != nil && *in.Count < 1:
		return apierr.InvalidParameter("count must be greater than 0.")
	}
	return nil
}

// spotTasks are the tasks that a request names and that can be interrupted.
func (a *API) spotTasks(r *frontdoor.Request, in *InterruptSpotTasksInput) ([]*ecs.Task, error) {
	switch {
	case in.Task != nil:
		return a.spotTask(r, in)
	case in.Service != nil:
		return a.spotTasksOfService(r, in)
	}
	var only arn.Cluster
	if in.Cluster != nil && *in.Cluster != "" {
		c, err := a.cluster(r, in.Cluster)
		if err != nil {
			return nil, err
		}
		only = c.ClusterArn
	}
	var list []*ecs.Task
	for t := range a.State.View().Tasks.All() {
		if interruptible(t) && arn.ScopeOf(t.TaskArn) == r.Scope && (only == "" || t.TaskArn.Cluster() == only) {
			list = append(list, t)
		}
	}
	return list, nil
}

func (a *API) spotTask(r *frontdoor.Request, in *InterruptSpotTasksInput) ([]*ecs.Task, error) {
	if *in.Task == "" {
		return nil, apierr.InvalidParameter("task can not be blank.")
	}
	c, id, err := a.named(r, &ExplainInput{Cluster: in.Cluster, Name: in.Task})
	if err != nil {
		return nil, err
	}
	t := a.State.View().Tasks.Get(c.ClusterArn.Task(id))
	switch {
	case t == nil:
		return nil, apierr.InvalidParameter("The referenced task was not found.")
	case t.CapacityProviderName != ecs.ProviderFargateSpot:
		return nil, apierr.InvalidParameter("task %s is not on the capacity provider %s, so it can not be interrupted.", id, ecs.ProviderFargateSpot)
	case t.Waiting():
		return nil, apierr.InvalidParameter("task %s waits for capacity, so there is none to take back.", id)
	case !interruptible(t):
		return nil, nil
	}
	return []*ecs.Task{t}, nil
}

func (a *API) spotTasksOfService(r *frontdoor.Request, in *InterruptSpotTasksInput) ([]*ecs.Task, error) {
	if *in.Service == "" {
		return nil, apierr.InvalidParameter("service can not be blank.")
	}
	c, name, err := a.named(r, &ExplainInput{Cluster: in.Cluster, Name: in.Service})
	if err != nil {
		return nil, err
	}
	v := a.State.View()
	s := v.Services.Get(c.ClusterArn.Service(name))
	if s == nil {
		return nil, apierr.ServiceNotFound()
	}
	var list []*ecs.Task
	for t := range v.Tasks.OfService(s.ServiceArn) {
		if interruptible(t) {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return nil, apierr.InvalidParameter("service %s has no running task on the capacity provider %s.", name, ecs.ProviderFargateSpot)
	}
	return list, nil
}

// interruptible reports whether a task holds Spot capacity that it was not told to give back yet.
func interruptible(t *ecs.Task) bool {
	return t.CapacityProviderName == ecs.ProviderFargateSpot && !t.Waiting() && t.DesiredStatus != ecs.Stopped
}
