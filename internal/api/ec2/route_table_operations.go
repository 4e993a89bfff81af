package ec2

import (
	"iter"
	"slices"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

// routeTableOperations are the operations on route tables, their associations and their routes.
func (a *API) routeTableOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		operation(a, "AssociateRouteTable", a.associateRouteTable),
		operation(a, "CreateRoute", a.createRoute),
		operation(a, "CreateRouteTable", a.createRouteTable),
		operation(a, "DeleteRoute", a.deleteRoute),
		operation(a, "DeleteRouteTable", a.deleteRouteTable),
		operation(a, "DescribeRouteTables", a.describeRouteTables),
		operation(a, "DisassociateRouteTable", a.disassociateRouteTable),
		operation(a, "ReplaceRoute", a.replaceRoute),
		operation(a, "ReplaceRouteTableAssociation", a.replaceRouteTableAssociation),
	}
}

type shownRouteTable struct {
	AssociationSet    []shownAssociation
	OwnerId           string
	PropagatingVgwSet []string
	RouteSet          []shownRoute
	RouteTableId      string
	TagSet            []Tag
	VpcId             string
}

type shownAssociation struct {
	AssociationState        blockState
	Main                    bool
	RouteTableAssociationId string
	RouteTableId            string
	SubnetId                string
}

type shownRoute struct{ DestinationCidrBlock, GatewayId, NatGatewayId, Origin, State string }

// local is what the routes within a VPC have for a gateway.
const local = "local"

func showRouteTable(t *state.Tables, s arn.Scope, table *vpc.RouteTable) shownRouteTable {
	out := shownRouteTable{
		AssociationSet: []shownAssociation{}, OwnerId: s.Account, PropagatingVgwSet: []string{}, RouteSet: shownRoutes(t, s, table),
		RouteTableId: table.ID(), TagSet: shown(table.Tags), VpcId: table.VpcID,
	}
	for _, a := range table.Associations {
		out.AssociationSet = append(out.AssociationSet, shownAssociation{
			AssociationState: blockState{"associated"}, Main: a.Main, RouteTableAssociationId: a.ID, RouteTableId: table.ID(), SubnetId: a.SubnetID,
		})
	}
	return out
}

// shownRoutes are the routes within the VPC, and those that were made.
func shownRoutes(t *state.Tables, s arn.Scope, table *vpc.RouteTable) []shownRoute {
	out := []shownRoute{}
	if v := t.VPCs.Get(vpc.ARN(s, vpc.KindVPC, table.VpcID)); v != nil {
		for _, c := range v.Associations {
			out = append(out, shownRoute{DestinationCidrBlock: c.CidrBlock, GatewayId: local, Origin: "CreateRouteTable", State: "active"})
		}
	}
	for _, r := range table.Routes {
		is := "active"
		if !leads(t, s, table, r) {
			is = "blackhole"
		}
		out = append(out, shownRoute{DestinationCidrBlock: r.Destination, GatewayId: r.GatewayID, NatGatewayId: r.NATGateway, Origin: "CreateRoute", State: is})
	}
	return out
}

// leads reports whether a route's target is there: an internet gateway that is attached to the VPC, or a NAT gateway that is available.
func leads(t *state.Tables, s arn.Scope, table *vpc.RouteTable, r vpc.Route) bool {
	if r.NATGateway != "" {
		n := t.NATGateways.Get(vpc.ARN(s, vpc.KindNATGateway, r.NATGateway))
		return n != nil && n.State == natAvailable
	}
	g := t.InternetGateways.Get(vpc.ARN(s, vpc.KindInternetGateway, r.GatewayID))
	return g != nil && g.VpcID == table.VpcID
}

// findRouteTable finds the route table that a request names.
func findRouteTable(t *state.Tables, s arn.Scope, id string) (*vpc.RouteTable, error) {
	if err := wellFormed("rtb-", "RouteTableId", id); err != nil {
		return nil, err
	}
	table := t.RouteTables.Get(vpc.ARN(s, vpc.KindRouteTable, id))
	if table == nil {
		return nil, notFound("RouteTableID", "routeTable ID", id)
	}
	return table, nil
}

// namedRouteTable finds the route table in a parameter that a request must have.
func namedRouteTable(t *state.Tables, s arn.Scope, id *string) (*vpc.RouteTable, error) {
	if text(id) == "" {
		return nil, missing("routeTableId")
	}
	return findRouteTable(t, s, *id)
}

func routeTables(t *state.Tables, s arn.Scope) iter.Seq[*vpc.RouteTable] {
	return t.RouteTables.Under(vpc.Prefix(s, vpc.KindRouteTable), "")
}

// routeTablesOf are a VPC's route tables.
func routeTablesOf(t *state.Tables, s arn.Scope, id vpc.ID) iter.Seq[*vpc.RouteTable] {
	return where(routeTables(t, s), func(table *vpc.RouteTable) bool { return table.VpcID == id })
}

// associationOf finds an association of a route table, and which one of the table's it is. The table is nil if there is none.
func associationOf(t *state.Tables, s arn.Scope, is func(vpc.RouteTableAssociation) bool) (table *vpc.RouteTable, n int) {
	for table := range routeTables(t, s) {
		if n := slices.IndexFunc(table.Associations, is); n >= 0 {
			return table, n
		}
	}
	return nil, 0
}

// namedAssociation finds the association in a parameter that a request must have.
func namedAssociation(t *state.Tables, s arn.Scope, id *string) (table *vpc.RouteTable, n int, err error) {
	if text(id) == "" {
		return nil, 0, missing("associationId")
	}
	if err := wellFormed("rtbassoc-", "AssociationID", *id); err != nil {
		return nil, 0, err
	}
	table, n = associationOf(t, s, func(a vpc.RouteTableAssociation) bool { return a.ID == *id })
	if table == nil {
		return nil, 0, notFound("AssociationID", "association ID", *id)
	}
	return table, n, nil
}
