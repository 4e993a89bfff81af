package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
)

type deleteNetworkInterfaceInput struct {
	DryRun             *bool
	NetworkInterfaceId *string
}

// deleteNetworkInterface deletes an interface of the user's own. Its addresses are free then, also an Elastic IP address.
func (a *API) deleteNetworkInterface(ctx context.Context, r *frontdoor.Request, in *deleteNetworkInterfaceInput) (*Done, error) {
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		n, err := namedInterface(tx.Tables, r.Scope, in.NetworkInterfaceId)
		switch {
		case err != nil:
			return err
		case n.RequesterManaged:
			return invalid("Network interface '%s' is currently in use.", n.ID())
		}
		if e := addressOn(tx.Tables, r.Scope, n.ID()); e != nil {
			tx.Put(disassociated(e))
		}
		tx.Delete(n)
		return nil
	})
}
