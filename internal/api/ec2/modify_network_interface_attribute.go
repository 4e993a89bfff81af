package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type modifyNetworkInterfaceAttributeInput struct {
	AssociatedSubnetIds             []string `json:"AssociatedSubnetId"`
	AssociatePublicIpAddress        *bool
	Attachment                      *NetworkInterfaceAttachmentChanges
	ConnectionTrackingSpecification *struct{ TcpEstablishedTimeout, UdpStreamTimeout, UdpTimeout *int32 }
	Description                     *AttributeValue
	DryRun                          *bool
	EnablePrimaryIpv6               *bool
	EnaSrdSpecification             *struct{ EnaSrdEnabled *bool }
	Groups                          []string `json:"SecurityGroupId"`
	NetworkInterfaceId              *string
	SourceDestCheck                 *AttributeBooleanValue
}

// AttributeValue is an attribute that is a text.
type AttributeValue struct{ Value *string }

// NetworkInterfaceAttachmentChanges is what becomes of an attachment.
type NetworkInterfaceAttachmentChanges struct {
	AttachmentId         *string
	DefaultEnaQueueCount *bool
	DeleteOnTermination  *bool
	EnaQueueCount        *int32
}

func (in *modifyNetworkInterfaceAttributeInput) check() error {
	err := noneOf(given{"AssociatedSubnetId", len(in.AssociatedSubnetIds) > 0}, given{"AssociatePublicIpAddress", in.AssociatePublicIpAddress != nil},
		given{"ConnectionTrackingSpecification", in.ConnectionTrackingSpecification != nil}, given{"EnablePrimaryIpv6", in.EnablePrimaryIpv6 != nil},
		given{"EnaSrdSpecification", in.EnaSrdSpecification != nil})
	if err != nil {
		return err
	}
	return oneAttribute(in.Attachment != nil, in.Description != nil, len(in.Groups) > 0, in.SourceDestCheck != nil)
}

// modifyNetworkInterfaceAttribute changes one attribute of an interface of the user's own.
func (a *API) modifyNetworkInterfaceAttribute(ctx context.Context, r *frontdoor.Request, in *modifyNetworkInterfaceAttributeInput) (*Done, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return done(), a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedInterface(tx.Tables, r.Scope, in.NetworkInterfaceId)
		switch {
		case err != nil:
			return err
		case old.RequesterManaged:
			return managed()
		}
		n := *old
		if err := in.apply(tx.Tables, r.Scope, &n); err != nil {
			return err
		}
		tx.Put(&n)
		return nil
	})
}

func (in *modifyNetworkInterfaceAttributeInput) apply(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) (err error) {
	switch {
	case in.Attachment != nil: // the user's interfaces have none
		return noAttachment(text(in.Attachment.AttachmentId))
	case in.Description != nil:
		n.Description = text(in.Description.Value)
		return interfaceDescription(n.Description)
	case in.SourceDestCheck != nil:
		if in.SourceDestCheck.Value == nil {
			return missing("SourceDestCheck.Value")
		}
		n.SourceDestCheck = *in.SourceDestCheck.Value
		return nil
	}
	n.Groups, err = interfaceGroups(t, s, n.VpcID, in.Groups)
	return err
}

// noAttachment is EC2's error for an attachment that does not exist.
func noAttachment(id string) error {
	if id == "" {
		return missing("attachmentId")
	}
	return apierr.New("InvalidAttachmentID.NotFound", "The attachment ID '%.64s' does not exist", id)
}
