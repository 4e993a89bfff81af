package ecs

import (
	"context"
	"time"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// AWS's limits on a request for protection.
const (
	mostProtected     = 10
	mostProtection    = 2880 // minutes
	defaultProtection = 120  // minutes
)

// updateTaskProtection puts tasks of services under scale-in protection for a time, or takes it from them. A task for which it cannot be done
// is among the failures, and the others are done.
func (a *API) updateTaskProtection(
	ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateTaskProtectionInput,
) (*awsecs.UpdateTaskProtectionOutput, error) {
	minutes, err := validateTaskProtection(r, in)
	if err != nil {
		return nil, err
	}
	var out *awsecs.UpdateTaskProtectionOutput
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		at := now()
		done, failed, err := protectedTasks(tx.Tables, r, in.Cluster, in.Tasks, at, func(t *ecs.Task) (*ecs.Task, string) {
			if in.ProtectionEnabled && deploymentBlocked(tx.Tables, t) {
				return nil, "DEPLOYMENT_BLOCKED"
			}
			n := t.Clone()
			n.ProtectedUntil = nil
			if in.ProtectionEnabled {
				until := at.Add(time.Duration(minutes) * time.Minute)
				n.ProtectedUntil = &until
			}
			tx.Put(n)
			return n, ""
		})
		out = &awsecs.UpdateTaskProtectionOutput{ProtectedTasks: done, Failures: failed}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func validateTaskProtection(r *frontdoor.Request, in *awsecs.UpdateTaskProtectionInput) (minutes int32, err error) {
	if err := validateProtectedNames(in.Cluster, in.Tasks, mostProtected); err != nil {
		return 0, err
	}
	if !r.Sent["protectionEnabled"] {
		return 0, apierr.InvalidParameter("protectionEnabled should not be null.")
	}
	minutes = defaultProtection
	if in.ExpiresInMinutes != nil {
		minutes = *in.ExpiresInMinutes
	}
	if minutes < 1 || minutes > mostProtection {
		return 0, apierr.InvalidParameter("expiresInMinutes must be between 1 and %d, but was %d", mostProtection, minutes)
	}
	return minutes, nil
}

// deploymentBlocked reports whether protected tasks already keep the task's service from its target status: no more can be protected then.
func deploymentBlocked(t *state.Tables, task *ecs.Task) bool {
	s := t.Services.Get(task.Service)
	return s != nil && deployment.BlockedByProtection(s)
}

func validateProtectedNames(cluster *string, tasks []string, most int) error {
	switch {
	case blank(cluster):
		return apierr.InvalidParameter("cluster should not be null or empty.")
	case len(tasks) == 0:
		return apierr.InvalidParameter("Tasks cannot be empty.")
	case len(tasks) > most:
		return apierr.InvalidParameter("tasks can have at most %d items.", most)
	}
	return nil
}

// protectedTasks shows the protection of tasks in the order in which they are named, after change has had each; its text is why it did not.
// What is not in the cluster, or is no task of a service that still should run, is a failure.
func protectedTasks(
	t *state.Tables, r *frontdoor.Request, clusterName *string, names []string, now time.Time, change func(*ecs.Task) (*ecs.Task, string),
) ([]types.ProtectedTask, []types.Failure, error) {
	if _, err := cluster(t, r, clusterName); err != nil {
		return nil, nil, err
	}
	done, failed := []types.ProtectedTask{}, []types.Failure{}
	for _, name := range names {
		x, err := taskIn(r, clusterName, name)
		if err != nil {
			return nil, nil, err
		}
		task, reason := t.Tasks.Get(x), ""
		switch {
		case task == nil:
			reason = "MISSING"
		case task.Service == "" || task.DesiredStatus == ecs.Stopped:
			reason = "TASK_NOT_VALID"
		default:
			task, reason = change(task)
		}
		if reason != "" {
			failed = append(failed, failure(string(x), reason))
			continue
		}
		done = append(done, protectionView(task, now))
	}
	return done, failed, nil
}

// protectionView is a task's protection as answers show it. One that has ended is none.
func protectionView(t *ecs.Task, now time.Time) types.ProtectedTask {
	v := types.ProtectedTask{TaskArn: new(string(t.TaskArn))}
	if t.Protected(now) {
		v.ProtectionEnabled, v.ExpirationDate = true, t.ProtectedUntil
	}
	return v
}
