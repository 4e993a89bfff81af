package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/deployment"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// stopServiceDeployment ends a service deployment that is going on: the service goes back to the newest revision that was rolled out whole,
// or, with ABORT, stays where it is. For one that is on its way back or is stopping nothing changes.
func (a *API) stopServiceDeployment(ctx context.Context, r *frontdoor.Request, in *awsecs.StopServiceDeploymentInput) (*awsecs.StopServiceDeploymentOutput, error) {
	name := text(in.ServiceDeploymentArn)
	if name == "" {
		return nil, apierr.InvalidParameter("serviceDeploymentArn can not be blank.")
	}
	if err := validateEnum("stopType", in.StopType); err != nil {
		return nil, err
	}
	if err := namedRollout(r, "service-deployment", name); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		d := tx.Rollouts.Get(name)
		if d == nil {
			return apierr.ServiceDeploymentNotFound()
		}
		switch d.Status {
		case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress:
			return stopDeployment(tx, d, in.StopType)
		case types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
			return nil
		}
		return apierr.Conflict("The service deployment is in the %s state and cannot be stopped.", d.Status)
	})
	if err != nil {
		return nil, err
	}
	return &awsecs.StopServiceDeploymentOutput{ServiceDeploymentArn: &name}, nil
}

// stopDeployment does what the request wants in the service's record; the controller takes it from there.
func stopDeployment(tx *state.Tx, d *ecs.ServiceDeployment, how types.StopServiceDeploymentStopType) error {
	a, err := serviceOf("service-deployment", d.ServiceDeploymentArn)
	if err != nil {
		return err
	}
	old := tx.Services.Get(a)
	if old == nil || old.Status != ecs.Active {
		return apierr.ServiceNotActive()
	}
	s, n, at := old.Clone(), d.Clone(), now()
	n.UpdatedAt = at
	if how == types.StopServiceDeploymentStopTypeAbort {
		n.Status = types.ServiceDeploymentStatusStopRequested
		deployment.Abort(s, at)
	} else {
		n.Status = types.ServiceDeploymentStatusRollbackRequested
		if deployment.RollBack(s, deployment.RolledBackReason, at) == "" {
			return apierr.Conflict("The service deployment cannot be rolled back because there is no service revision to roll back to.")
		}
	}
	tx.Put(s)
	tx.Put(n)
	return nil
}
