package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeRouteTablesInput struct {
	DryRun        *bool
	Filters       []Filter `json:"Filter"`
	MaxResults    *int32
	NextToken     *string
	RouteTableIds []string `json:"RouteTableId"`
}

type describeRouteTablesOutput struct {
	NextToken   *string
	RouteTables []shownRouteTable `json:"routeTableSet"`
}

func (a *API) describeRouteTables(_ context.Context, r *frontdoor.Request, in *describeRouteTablesInput) (*describeRouteTablesOutput, error) {
	list, next, err := described[*vpc.RouteTable, shownRouteTable]{
		filters: `association.gateway-id association.main association.route-table-association-id association.route-table-id association.subnet-id owner-id
			route-table-id route.core-network-arn route.destination-cidr-block route.destination-ipv6-cidr-block route.destination-prefix-list-id
			route.egress-only-internet-gateway-id route.gateway-id route.instance-id route.nat-gateway-id route.origin route.state
			route.transit-gateway-id route.vpc-peering-connection-id vpc-id`,
		kind: vpc.KindRouteTable, find: findRouteTable, facts: routeTableFacts, show: showRouteTable,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.RouteTable] {
			return t.RouteTables.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.RouteTableIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeRouteTablesOutput{RouteTables: list, NextToken: next}, nil
}

func routeTableFacts(t *state.Tables, s arn.Scope, table *vpc.RouteTable) facts {
	f := facts{"owner-id": {s.Account}, "route-table-id": {table.ID()}, "vpc-id": {table.VpcID}}
	for _, a := range table.Associations {
		f.add("association.main", flag(a.Main)[0])
		f.add("association.route-table-association-id", a.ID)
		f.add("association.route-table-id", table.ID())
		f.add("association.subnet-id", a.SubnetID)
	}
	for _, r := range shownRoutes(t, s, table) {
		f.add("route.destination-cidr-block", r.DestinationCidrBlock)
		f.add("route.gateway-id", r.GatewayId)
		f.add("route.nat-gateway-id", r.NatGatewayId)
		f.add("route.origin", r.Origin)
		f.add("route.state", r.State)
	}
	return f.tagged(table.Tags)
}
