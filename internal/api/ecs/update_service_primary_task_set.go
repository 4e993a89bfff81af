package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// updateServicePrimaryTaskSet makes a task set the PRIMARY one of its service, which shows its task definition and launch type from then on.
func (a *API) updateServicePrimaryTaskSet(
	ctx context.Context, r *frontdoor.Request, in *awsecs.UpdateServicePrimaryTaskSetInput,
) (*awsecs.UpdateServicePrimaryTaskSetOutput, error) {
	v, err := a.changeTaskSet(ctx, r, in.Cluster, in.Service, func(s *ecs.Service) (*ecs.Deployment, error) {
		set, err := livingTaskSet(s, "primaryTaskSet", in.PrimaryTaskSet)
		if err != nil {
			return nil, err
		}
		return s.Promote(set.ID, now()), nil
	})
	return &awsecs.UpdateServicePrimaryTaskSetOutput{TaskSet: v}, err
}
