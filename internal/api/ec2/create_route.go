package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// createRouteInput is the input of CreateRoute and, with LocalTarget, of ReplaceRoute.
type createRouteInput struct {
	CarrierGatewayId            *string
	CoreNetworkArn              *string
	DestinationCidrBlock        *string
	DestinationIpv6CidrBlock    *string
	DestinationPrefixListId     *string
	DryRun                      *bool
	EgressOnlyInternetGatewayId *string
	GatewayId                   *string
	InstanceId                  *string
	LocalGatewayId              *string
	LocalTarget                 *bool
	NatGatewayId                *string
	NetworkInterfaceId          *string
	OdbNetworkArn               *string
	RouteTableId                *string
	TransitGatewayId            *string
	VpcEndpointId               *string
	VpcPeeringConnectionId      *string
}

func (in *createRouteInput) unsupported() error {
	return noneOf(given{"CarrierGatewayId", in.CarrierGatewayId != nil}, given{"CoreNetworkArn", in.CoreNetworkArn != nil},
		given{"DestinationIpv6CidrBlock", in.DestinationIpv6CidrBlock != nil}, given{"DestinationPrefixListId", in.DestinationPrefixListId != nil},
		given{"EgressOnlyInternetGatewayId", in.EgressOnlyInternetGatewayId != nil}, given{"InstanceId", in.InstanceId != nil},
		given{"LocalGatewayId", in.LocalGatewayId != nil}, given{"NetworkInterfaceId", in.NetworkInterfaceId != nil},
		given{"OdbNetworkArn", in.OdbNetworkArn != nil}, given{"TransitGatewayId", in.TransitGatewayId != nil},
		given{"VpcEndpointId", in.VpcEndpointId != nil}, given{"VpcPeeringConnectionId", in.VpcPeeringConnectionId != nil})
}

func (a *API) createRoute(ctx context.Context, r *frontdoor.Request, in *createRouteInput) (*Done, error) {
	return done(), a.changeRoute(ctx, r, in, func(table *vpc.RouteTable, route vpc.Route) error {
		switch {
		case slices.ContainsFunc(table.Routes, to(route.Destination)):
			return apierr.New("RouteAlreadyExists", "The route identified by %s already exists.", route.Destination)
		case len(table.Routes) >= mostRoutes:
			return limit("Route", "routes")
		}
		table.Routes = append(slices.Clone(table.Routes), route)
		return nil
	})
}

// changeRoute checks a request's route and puts a copy of its route table, which change has changed.
func (a *API) changeRoute(ctx context.Context, r *frontdoor.Request, in *createRouteInput, change func(*vpc.RouteTable, vpc.Route) error) error {
	if err := in.unsupported(); err != nil {
		return err
	}
	b, err := destination(in.DestinationCidrBlock)
	if err != nil {
		return err
	}
	return a.store.Update(ctx, func(tx *state.Tx) error {
		old, err := namedRouteTable(tx.Tables, r.Scope, in.RouteTableId)
		if err != nil {
			return err
		}
		route, err := in.route(tx.Tables, r.Scope, old, b)
		if err != nil {
			return err
		}
		table := *old
		if err := change(&table, route); err != nil {
			return err
		}
		tx.Put(&table)
		return nil
	})
}

// destination reads the range of addresses that a route is for.
func destination(text *string) (netip.Prefix, error) {
	if text == nil || *text == "" {
		return netip.Prefix{}, missing("destinationCidrBlock")
	}
	b, ok := vpc.Block(*text)
	if !ok {
		return b, invalid("Value (%.64s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", *text)
	}
	return b, nil
}

// to finds the route to a destination.
func to(destination string) func(vpc.Route) bool {
	return func(r vpc.Route) bool { return r.Destination == destination }
}

// route is the route that a request describes, with one target that is of the route table's VPC.
func (in *createRouteInput) route(t *state.Tables, s arn.Scope, table *vpc.RouteTable, b netip.Prefix) (vpc.Route, error) {
	out := vpc.Route{Destination: b.String(), GatewayID: text(in.GatewayId), NATGateway: text(in.NatGatewayId)}
	var err error
	switch {
	case out.GatewayID == "" && out.NATGateway == "":
		return out, missing("gatewayId or natGatewayId")
	case out.GatewayID != "" && out.NATGateway != "":
		return out, combination("The request must contain exactly one of gatewayId or natGatewayId")
	case out.GatewayID != "":
		err = mayRouteToGateway(t, s, table, out.GatewayID)
	default:
		err = mayRouteToNAT(t, s, table, out.NATGateway)
	}
	if err != nil {
		return out, err
	}
	if v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, table.VpcID)); v != nil && v.Contains(b) {
		return out, invalid("The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. "+
			"This route can target only an interface or an instance.", b)
	}
	return out, nil
}

func mayRouteToGateway(t *state.Tables, s arn.Scope, table *vpc.RouteTable, id string) error {
	if !strings.HasPrefix(id, "igw-") {
		return notFound("GatewayID", "gateway ID", id)
	}
	g, err := findInternetGateway(t, s, id)
	if err != nil {
		return err
	}
	if g.VpcID != table.VpcID {
		return invalid("route table %s and network gateway %s belong to different networks", table.ID(), id)
	}
	return nil
}

func mayRouteToNAT(t *state.Tables, s arn.Scope, table *vpc.RouteTable, id string) error {
	n, err := findNATGateway(t, s, id)
	switch {
	case err != nil:
		return err
	case n.State != natAvailable:
		return apierr.New("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id)
	case n.VpcID != table.VpcID:
		return invalid("route table %s and NAT gateway %s belong to different networks", table.ID(), id)
	}
	return nil
}
