package ec2

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"
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
		kind: vpc.KindNetworkInterface, find: findInterface, facts: interfaceFacts(in.Filters), show: showInterface,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.NetworkInterface] {
			return t.Interfaces.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.NetworkInterfaceIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeNetworkInterfacesOutput{NetworkInterfaces: list, NextToken: next}, nil
}

// recordFacts are the filters that the record of an interface alone answers. Most requests have no others, and there are many interfaces.
const recordFacts = "description group-id interface-type mac-address network-interface-id private-ip-address requester-managed source-dest-check subnet-id vpc-id"

// interfaceFacts are what filters ask of an interface: all of it, or what is in its record where that is enough.
func interfaceFacts(filters []Filter) func(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) facts {
	known := strings.Fields(recordFacts)
	enough := !slices.ContainsFunc(filters, func(f Filter) bool { return !slices.Contains(known, text(f.Name)) })
	return func(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) facts {
		f := facts{
			"description": {n.Description}, "group-id": n.Groups, "interface-type": {n.InterfaceType}, "mac-address": {n.MAC}, "network-interface-id": {n.ID()},
			"private-ip-address": {n.Address}, "requester-managed": flag(n.RequesterManaged), "source-dest-check": flag(n.SourceDestCheck),
			"subnet-id": {n.SubnetID}, "vpc-id": {n.VpcID},
		}
		if !enough {
			f.shownInterface(t, s, n)
		}
		return f
	}
}

// shownInterface adds what is not in an interface's record.
func (f facts) shownInterface(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) {
	x := showInterface(t, s, n)
	f["addresses.primary"], f["operator.managed"] = flag(true), flag(false)
	f.add("addresses.private-ip-address", n.Address)
	f.add("availability-zone", n.AvailabilityZone)
	f.add("availability-zone-id", x.AvailabilityZoneId)
	f.add("owner-id", s.Account)
	f.add("private-dns-name", x.PrivateDnsName)
	f.add("requester-id", x.RequesterId)
	f.add("status", x.Status)
	for _, g := range x.GroupSet {
		f.add("group-name", g.GroupName)
	}
	f.association(x.Association)
	f.attachment(x.Attachment)
	if n.InterfaceType == "nat_gateway" {
		f.add("attachment.nat-gateway-id", natOf(t, s, n))
	}
	f.tagged(n.Tags)
}

// natOf is the NAT gateway that has an interface, "" where it has gone.
func natOf(t *state.Tables, s arn.Scope, n *vpc.NetworkInterface) vpc.ID {
	for g := range t.NATGateways.Under(vpc.Prefix(s, vpc.KindNATGateway), "") {
		if g.InterfaceID == n.ID() {
			return g.ID()
		}
	}
	return ""
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
