package ec2

import (
	"context"
	"strings"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/vpc"
)

type attachNetworkInterfaceInput struct {
	DeviceIndex         *int32
	DryRun              *bool
	EnaQueueCount       *int32
	EnaSrdSpecification *struct{ EnaSrdEnabled *bool }
	InstanceId          *string
	NetworkCardIndex    *int32
	NetworkInterfaceId  *string
}

type attachNetworkInterfaceOutput struct{ AttachmentId string }

// attachNetworkInterface has no instance to attach to: container instances are not EC2's.
func (a *API) attachNetworkInterface(_ context.Context, r *frontdoor.Request, in *attachNetworkInterfaceInput) (*attachNetworkInterfaceOutput, error) {
	n, err := namedInterface(a.store.View().Tables, r.Scope, in.NetworkInterfaceId)
	switch {
	case err != nil:
		return nil, err
	case text(in.InstanceId) == "":
		return nil, missing("instanceId")
	case in.DeviceIndex == nil:
		return nil, missing("deviceIndex")
	case n.RequesterManaged:
		return nil, managed()
	}
	if err := wellFormed("i-", "InstanceID", *in.InstanceId); err != nil {
		return nil, err
	}
	return nil, notFound("InstanceID", "instance ID", *in.InstanceId)
}

type detachNetworkInterfaceInput struct {
	AttachmentId *string
	DryRun       *bool
	Force        *bool
}

// detachNetworkInterface has nothing that a user may detach: interfaces of tasks and of NAT gateways are AWS's.
func (a *API) detachNetworkInterface(_ context.Context, r *frontdoor.Request, in *detachNetworkInterfaceInput) (*Done, error) {
	id := text(in.AttachmentId)
	if id == "" {
		return nil, missing("attachmentId")
	}
	if strings.HasPrefix(id, natAttachment) {
		return nil, apierr.New("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
	}
	if err := wellFormed(taskAttachment, "NetworkInterfaceAttachmentId", id); err != nil {
		return nil, err
	}
	n := a.store.View().Interfaces.Get(vpc.ARN(r.Scope, vpc.KindNetworkInterface, "eni-"+strings.TrimPrefix(id, taskAttachment)))
	if n == nil || n.Task == "" {
		return nil, noAttachment(id)
	}
	return nil, managed()
}
