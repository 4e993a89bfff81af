package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type deleteInternetGatewayInput struct {
	DryRun            *bool
	InternetGatewayId *string
}

// deleteInternetGateway deletes an internet gateway that is not attached. Routes to it stay, and lead nowhere.
func (a *API) deleteInternetGateway(ctx context.Context, r *frontdoor.Request, in *deleteInternetGatewayInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		g, err := namedInternetGateway(tx.Tables, r.Scope, in.InternetGatewayId)
		if err != nil {
			return err
		}
		if g.VpcID != "" {
			return inUse("The internetGateway '%s' has dependencies and cannot be deleted.", g.ID())
		}
		tx.Delete(g)
		return nil
	})
}
