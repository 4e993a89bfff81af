package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// deleteTaskSet makes a task set DRAINING: the controllers stop its tasks, and then it is gone. Without force it must be scaled to zero, and
// not be the PRIMARY one. One that is DRAINING already is answered as it is.
func (a *API) deleteTaskSet(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteTaskSetInput) (*awsecs.DeleteTaskSetOutput, error) {
	v, err := a.changeTaskSet(ctx, r, in.Cluster, in.Service, func(s *ecs.Service) (*ecs.Deployment, error) {
		set, err := namedTaskSet(s, "taskSet", in.TaskSet)
		if err != nil || set.Status == ecs.Draining {
			return set, err
		}
		if err := deletableTaskSet(s, set, in.Force != nil && *in.Force); err != nil {
			return nil, err
		}
		set.Status, set.UpdatedAt = ecs.Draining, now()
		return set, nil
	})
	return &awsecs.DeleteTaskSetOutput{TaskSet: v}, err
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
