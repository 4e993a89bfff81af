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

var activationID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// deleteActivation ends an activation. The machines that have registered with it stay.
func (a *API) deleteActivation(ctx context.Context, r *frontdoor.Request, in *awsssm.DeleteActivationInput) (*awsssm.DeleteActivationOutput, error) {
	var c constraint.Check
	c.Present("activationId", in.ActivationId != nil)
	c.Pattern("activationId", in.ActivationId, activationID)
	if err := c.Err(); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(tx *state.Tx) error {
		one := tx.Activations.Get(secret.RegionKey(r.Scope.Account, r.Scope.Region, *in.ActivationId))
		if one == nil {
			return apierr.New("InvalidActivationId", "The activation ID is not valid. Verify that you entered the correct ActivationId or ActivationCode and try again.")
		}
		tx.Delete(one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &awsssm.DeleteActivationOutput{}, nil
}
