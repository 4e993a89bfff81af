package ec2

import (
	"context"

	"berth/internal/frontdoor"
)

type describeNetworkInterfaceAttributeInput struct {
	Attribute          *string
	DryRun             *bool
	NetworkInterfaceId *string
}

type describeNetworkInterfaceAttributeOutput struct {
	AssociatePublicIpAddress *bool
	Attachment               *shownAttachment
	Description              *textValue
	GroupSet                 []shownGroupID
	NetworkInterfaceId       string
	SourceDestCheck          *attributeValue
}

// textValue is an attribute that is a text, in an answer.
type textValue struct{ Value string }

func (a *API) describeNetworkInterfaceAttribute(_ context.Context, r *frontdoor.Request, in *describeNetworkInterfaceAttributeInput) (*describeNetworkInterfaceAttributeOutput, error) {
	t := a.store.View().Tables
	n, err := namedInterface(t, r.Scope, in.NetworkInterfaceId)
	if err != nil {
		return nil, err
	}
	out := &describeNetworkInterfaceAttributeOutput{NetworkInterfaceId: n.ID()}
	switch text(in.Attribute) {
	case "":
		return nil, missing("attribute")
	case "associatePublicIpAddress":
		public := n.PublicIP != ""
		out.AssociatePublicIpAddress = &public
	case "attachment":
		out.Attachment = interfaceAttachment(t, r.Scope, n)
	case "description":
		out.Description = &textValue{n.Description}
	case "groupSet":
		out.GroupSet = groupIDs(t, r.Scope, n)
	case "sourceDestCheck":
		out.SourceDestCheck = &attributeValue{n.SourceDestCheck}
	default:
		return nil, invalid("Value (%.64s) for parameter attribute is invalid. Unknown attribute.", *in.Attribute)
	}
	return out, nil
}
