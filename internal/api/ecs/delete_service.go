package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/apierr"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// deleteService makes a service DRAINING: the controllers stop its tasks, and then it is INACTIVE. One that is DRAINING already is answered as
// it is; an INACTIVE one is not found.
func (a *API) deleteService(ctx context.Context, r *frontdoor.Request, in *awsecs.DeleteServiceInput) (*awsecs.DeleteServiceOutput, error) {
	var out *awsecs.DeleteServiceOutput
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		s, err := namedService(tx.Tables, r, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		switch {
		case s.Status == ecs.Inactive:
			return apierr.ServiceNotFound()
		case s.Status == ecs.Active && s.DesiredCount > 0 && (in.Force == nil || !*in.Force):
			return apierr.InvalidParameter("The service cannot be stopped while it is scaled above 0.")
		case s.Status == ecs.Active && s.IsExternal() && len(s.Deployments) > 0 && (in.Force == nil || !*in.Force):
			return apierr.InvalidParameter("The service cannot be stopped while deployments are active.")
		case s.Status == ecs.Active:
			s = s.Clone()
			s.Status, s.DesiredCount, s.SteadyAt = ecs.Draining, 0, nil
			for i := range s.Deployments {
				if d := &s.Deployments[i]; d.TaskSet != nil {
					d.Status, d.DesiredCount, d.UpdatedAt = ecs.Draining, 0, now()
				} else if d.Status == ecs.DeploymentPrimary {
					d.DesiredCount, d.UpdatedAt = 0, now()
				}
			}
			tx.Put(s)
		}
		out = &awsecs.DeleteServiceOutput{Service: new(serviceView(tx.Tables, s, true))}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
