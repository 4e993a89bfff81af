package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// stoppedByUser is the stopped reason where the caller gives none.
const stoppedByUser = "Task stopped by user"

// stopTask makes STOPPED the desired status of a task; its agent ends it and reports. A task that is stopping or has stopped is answered as
// it is.
func (a *API) stopTask(ctx context.Context, r *frontdoor.Request, in *awsecs.StopTaskInput) (*awsecs.StopTaskOutput, error) {
	reason := text(in.Reason)
	if len(reason) > mostReason {
		return nil, apierr.InvalidParameter("reason can be at most %d characters long.", mostReason)
	}
	if reason == "" {
		reason = stoppedByUser
	}
	var out types.Task
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		t, err := namedTask(tx.Tables, r, in.Cluster, in.Task)
		if err != nil {
			return err
		}
		n := t.Clone()
		if n.Stop(now(), types.TaskStopCodeUserInitiated, reason) {
			tx.Put(n)
		}
		out = taskView(tx.Tables, n, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.StopTaskOutput{Task: &out}, nil
}

// namedTask finds the task that a request names in its cluster.
func namedTask(t *state.Tables, r *frontdoor.Request, clusterName, name *string) (*ecs.Task, error) {
	if _, err := cluster(t, r, clusterName); err != nil {
		return nil, err
	}
	x, err := taskIn(r, clusterName, text(name))
	if err != nil {
		return nil, err
	}
	task := t.Tasks.Get(x)
	if task == nil {
		return nil, apierr.InvalidParameter("The referenced task was not found.")
	}
	return task, nil
}
