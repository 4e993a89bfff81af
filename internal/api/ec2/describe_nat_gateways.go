package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeNatGatewaysInput struct {
	DryRun        *bool
	Filters       []Filter `json:"Filter"`
	MaxResults    *int32
	NatGatewayIds []string `json:"NatGatewayId"`
	NextToken     *string
}

type describeNatGatewaysOutput struct {
	NatGateways []shownNATGateway `json:"natGatewaySet"`
	NextToken   *string
}

func (a *API) describeNatGateways(_ context.Context, r *frontdoor.Request, in *describeNatGatewaysInput) (*describeNatGatewaysOutput, error) {
	list, next, err := described[*vpc.NATGateway, shownNATGateway]{
		filters: "nat-gateway-id state subnet-id vpc-id",
		kind:    vpc.KindNATGateway, find: findNATGateway, facts: natGatewayFacts, show: showNATGateway,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.NATGateway] {
			return where(t.NATGateways.Under(prefix, start), func(n *vpc.NATGateway) bool { return !forgotten(n) })
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.NatGatewayIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeNatGatewaysOutput{NatGateways: list, NextToken: next}, nil
}

func natGatewayFacts(_ *state.Tables, _ arn.Scope, n *vpc.NATGateway) facts {
	return facts{"nat-gateway-id": {n.ID()}, "state": {n.State}, "subnet-id": {n.SubnetID}, "vpc-id": {n.VpcID}}.tagged(n.Tags)
}
