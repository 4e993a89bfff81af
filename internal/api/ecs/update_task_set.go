package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// updateTaskSet gives a task set another scale; the controllers compute what it comes to.
func (a *API) updateTaskSet(ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateTaskSetInput) (*awsecs.UpdateTaskSetOutput, error) {
	if in.Scale == nil {
		return nil, apierr.InvalidParameter("scale should not be null.")
	}
	if err := validateScale(in.Scale); err != nil {
		return nil, err
	}
	v, err := a.changeTaskSet(ctx, r, in.Cluster, in.Service, func(s *ecs.Service) (*ecs.Deployment, error) {
		set, err := livingTaskSet(s, "taskSet", in.TaskSet)
		if err == nil {
			set.TaskSet.Scale, set.UpdatedAt = in.Scale.Value, now()
		}
		return set, err
	})
	return &awsecs.UpdateTaskSetOutput{TaskSet: v}, err
}
