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

// deleteService makes a service DRAINING. The controller stops its tasks and makes it INACTIVE when none is left.
func (a *API) deleteService(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteServiceInput) (*awsecs.DeleteServiceOutput, error) {
	if text(in.Service) == "" {
		return nil, apierr.InvalidParameter("Service name can not be blank.")
	}
	var out types.Service
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := a.service(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		switch {
		case s == nil:
			return apierr.ServiceNotFound()
		case s.Status == ecs.Inactive:
			return apierr.ServiceNotActive()
		case s.Status == ecs.Active && s.DesiredCount > 0 && !yes(in.Force):
			return apierr.InvalidParameter("The service cannot be stopped while it is scaled above 0.")
		case s.Status == ecs.Active:
			s = s.Clone()
			s.Status, s.DesiredCount = ecs.Draining, 0
			if p := s.Primary(); p != nil {
				p.DesiredCount, p.UpdatedAt = 0, now()
			}
			tx.Put(s)
		}
		out = serviceView(tx.Tables, s, true)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.DeleteServiceOutput{Service: &out}, nil
}
