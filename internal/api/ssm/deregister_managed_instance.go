package ssm

import (
	"context"
	"regexp"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/frontdoor"
	"berth/internal/secret"
	"berth/internal/state"
)

var managedID = regexp.MustCompile(`^mi-[0-9a-f]{17}$`)

// deregisterManagedInstance forgets a machine. Its place in the activation's limit is not given back.
func (a *API) deregisterManagedInstance(ctx context.Context, r *frontdoor.Request, in *awsssm.DeregisterManagedInstanceInput) (*awsssm.DeregisterManagedInstanceOutput, error) {
	var c constraint.Check
	c.Present("instanceId", in.InstanceId != nil)
	c.Pattern("instanceId", in.InstanceId, managedID)
	if err := c.Err(); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		m := tx.ManagedInstances.Get(secret.RegionKey(r.Scope.Account, r.Scope.Region, *in.InstanceId))
		if m == nil {
			return apierr.New("InvalidInstanceId", "The InstanceId %s is not valid, or no managed instance of this account and region has it.", *in.InstanceId)
		}
		tx.Delete(m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsssm.DeregisterManagedInstanceOutput{}, nil
}
