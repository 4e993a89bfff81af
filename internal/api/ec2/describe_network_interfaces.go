package ec2

import (
	"context"
	"iter"
	"strconv"
	"time"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeNetworkInterfacesInput struct {
	DryRun                  *bool
	Filters                 []Filter `json:"Filter"`
	IncludeManagedResources *bool
	MaxResults              *int32
	NetworkInterfaceIds     []string `json:"NetworkInterfaceId"`
	NextToken               *string
}

type describeNetworkInterfacesOutput struct {
	NetworkInterfaces []shownInterface `json:"networkInterfaceSet"`
	NextToken         *string
}

func (a *API) describeNetworkInterfaces(_ context.Context, r *frontdoor.Request, in *describeNetworkInterfacesInput) (*describeNetworkInterfacesOutput, error) {
	list, next, err := described[*vpc.NetworkInterface, shownInterface]{
		filters: `addresses.association.owner-id addresses.association.public-ip addresses.primary addresses.private-ip-address association.allocation-id
			association.association-id association.ip-owner-id association.public-dns-name association.public-ip attachment.attach-time
			attachment.attachment-id attachment.delete-on-termination attachment.device-index attachment.instance-id attachment.instance-owner-id
			attachment.nat-gateway-id attachment.status availability-zone availability-zone-id description group-id group-name interface-type
			ipv6-addresses.ipv6-address mac-address network-interface-id operator.managed operator.principal owner-id private-dns-name
			private-ip-address requester-id requester-managed source-dest-check status subnet-id vpc-id`,
		kind: vpc.KindNetworkInterface, find: findInterface, facts: interfaceFacts, show: showInterface,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.NetworkInterface] {
			return t.Interfaces.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.NetworkInterfaceIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeNetworkInterfacesOutput{NetworkInterfaces: list, NextToken: next}, nil
}

func interfaceFacts(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) facts {
	x := showInterface(t, s, n)
	f := facts{
		"addresses.primary": flag(true), "addresses.private-ip-address": {n.Address}, "availability-zone": {n.AvailabilityZone},
		"availability-zone-id": {x.AvailabilityZoneId}, "description": {n.Description}, "interface-type": {n.InterfaceType}, "mac-address": {n.MAC},
		"network-interface-id": {n.ID()}, "operator.managed": flag(false), "owner-id": {s.Account}, "private-ip-address": {n.Address},
		"requester-managed": flag(n.RequesterManaged), "source-dest-check": flag(n.SourceDestCheck), "status": {x.Status}, "subnet-id": {n.SubnetID},
		"vpc-id": {n.VpcID},
	}
	f.add("private-dns-name", x.PrivateDnsName)
	f.add("requester-id", x.RequesterId)
	for _, g := range x.GroupSet {
		f.add("group-id", g.GroupId)
		f.add("group-name", g.GroupName)
	}
	f.association(x.Association)
	f.attachment(x.Attachment)
	if x.Attachment != nil && n.InterfaceType == "nat_gateway" {
		for g := range t.NATGateways.Under(vpc.Prefix(s, vpc.KindNATGateway), "") {
			if g.InterfaceID == n.ID() {
				f.add("attachment.nat-gateway-id", g.ID())
			}
		}
	}
	return f.tagged(n.Tags)
}

func (f facts) association(a *shownInterfaceAssociation) {
	if a == nil {
		return
	}
	f.add("association.allocation-id", a.AllocationId)
	f.add("association.association-id", a.AssociationId)
	for _, prefix := range []string{"association.ip-owner-id", "addresses.association.owner-id"} {
		f.add(prefix, a.IpOwnerId)
	}
	for _, prefix := range []string{"association.public-ip", "addresses.association.public-ip"} {
		f.add(prefix, a.PublicIp)
	}
}

func (f facts) attachment(a *shownAttachment) {
	if a == nil {
		return
	}
	if a.AttachTime != nil {
		f.add("attachment.attach-time", a.AttachTime.UTC().Format(time.RFC3339))
	}
	f.add("attachment.attachment-id", a.AttachmentId)
	f.add("attachment.delete-on-termination", strconv.FormatBool(a.DeleteOnTermination))
	f.add("attachment.device-index", strconv.Itoa(int(a.DeviceIndex)))
	f.add("attachment.instance-id", a.InstanceId)
	f.add("attachment.instance-owner-id", a.InstanceOwnerId)
	f.add("attachment.status", a.Status)
}
