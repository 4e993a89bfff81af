package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteTaskSet makes a task set DRAINING: the controllers stop its tasks, and then it is gone. Without force it must be scaled to zero, and
// not be the PRIMARY one. One that is DRAINING already is answered as it is.
func (a *API) deleteTaskSet(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteTaskSetInput) (*awsecs.DeleteTaskSetOutput, error) {
	var out *awsecs.DeleteTaskSetOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := externalService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		s = s.Clone()
		set, err := namedTaskSet(s, "taskSet", in.TaskSet)
		if err != nil {
			return err
		}
		if set.Status != ecs.Draining {
			if err := deletableTaskSet(s, set, in.Force != nil && *in.Force); err != nil {
				return err
			}
			set.Status, set.UpdatedAt = ecs.Draining, now()
			tx.Put(s)
		}
		out = &awsecs.DeleteTaskSetOutput{TaskSet: new(taskSetView(tx.Tables, s, set, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func deletableTaskSet(s *ecs.Service, set *ecs.Deployment, force bool) error {
	switch {
	case force:
		return nil
	case set.Status == ecs.DeploymentPrimary:
		return apierr.InvalidParameter("Primary TaskSet cannot be deleted")
	case s.Computed(set.TaskSet.Scale) > 0:
		return apierr.InvalidParameter("The TaskSet cannot be deleted while it is scaled above 0.")
	}
	return nil
}
