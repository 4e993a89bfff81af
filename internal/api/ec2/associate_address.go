package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type associateAddressInput struct {
	AllocationId       *string
	AllowReassociation *bool
	DryRun             *bool
	InstanceId         *string
	NetworkInterfaceId *string
	PrivateIpAddress   *string
	PublicIp           *string
}

type associateAddressOutput struct{ AssociationId string }

// check checks what can be without knowing what there is.
func (in *associateAddressInput) check() error {
	switch {
	case text(in.AllocationId) == "" && text(in.PublicIp) == "":
		return apierr.New("MissingParameter", "Either public IP or allocation id must be specified")
	case text(in.AllocationId) != "" && text(in.PublicIp) != "":
		return combination("You may specify public IP or allocation id, but not both in the same call")
	case text(in.InstanceId) != "" && text(in.NetworkInterfaceId) != "":
		return combination("You may specify either instance id or network interface id, but not both in the same call")
	case text(in.InstanceId) != "":
		return notFound("InstanceID", "instance ID", *in.InstanceId) // there are none
	case text(in.NetworkInterfaceId) == "":
		return apierr.New("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be provided")
	}
	return nil
}

func (a *API) associateAddress(ctx context.Context, r *frontdoor.Request, in *associateAddressInput) (*associateAddressOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	out := &associateAddressOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		e, err := in.address(tx.Tables, r.Scope)
		if err != nil {
			return err
		}
		n, err := in.target(tx.Tables, r.Scope)
		if err != nil {
			return err
		}
		if e.InterfaceID == n.ID() {
			out.AssociationId = e.AssociationID
			return nil
		}
		if err := in.replace(tx, r.Scope, e, n); err != nil {
			return err
		}
		e = associated(e, n)
		tx.Put(e)
		out.AssociationId = e.AssociationID
		return nil
	})
}

func (in *associateAddressInput) address(t *state.Tables, s arn.Scope) (*vpc.Address, error) {
	if ip := text(in.PublicIp); ip != "" {
		return findPublic(t, s, ip)
	}
	return findAddress(t, s, *in.AllocationId)
}

// target is the interface that is to have the address: one of the user's own, with a way to the internet.
func (in *associateAddressInput) target(t *state.Tables, s arn.Scope) (*vpc.NetworkInterface, error) {
	id := *in.NetworkInterfaceId
	if err := wellFormed("eni-", "NetworkInterfaceID", id); err != nil {
		return nil, err
	}
	n := t.Interfaces.Get(vpc.ARN(s, vpc.KindNetworkInterface, id))
	switch ip := text(in.PrivateIpAddress); {
	case n == nil:
		return nil, apierr.New("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
	case n.RequesterManaged:
		return nil, managed()
	case ip != "" && ip != n.Address:
		return nil, invalid("Invalid value '%.64s' for privateIpAddress. It is not an address of %s.", ip, id)
	case attachedGateway(t, s, n.VpcID) == nil:
		return nil, apierr.New("Gateway.NotAttached", "Network %s is not attached to any internet gateway", n.VpcID)
	}
	return n, nil
}

// replace ends the associations that the new one takes the place of, unless the request forbids it.
func (in *associateAddressInput) replace(tx *state.Tx, s arn.Scope, e *vpc.Address, n *vpc.NetworkInterface) error {
	forbidden := in.AllowReassociation != nil && !*in.AllowReassociation
	if e.AssociationID != "" {
		if forbidden {
			return alreadyAssociated(e)
		}
		if ofService(tx.Tables, s, e) {
			return managed()
		}
	}
	if other := addressOn(tx.Tables, s, n.ID()); other != nil {
		if forbidden {
			return apierr.New("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", n.ID(), other.AssociationID)
		}
		tx.Put(disassociated(other))
	}
	return nil
}
