package ec2

import (
	"context"
	"iter"

	"berth/internal/arn"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type describeInternetGatewaysInput struct {
	DryRun             *bool
	Filters            []Filter `json:"Filter"`
	InternetGatewayIds []string `json:"InternetGatewayId"`
	MaxResults         *int32
	NextToken          *string
}

type describeInternetGatewaysOutput struct {
	InternetGateways []shownInternetGateway `json:"internetGatewaySet"`
	NextToken        *string
}

func (a *API) describeInternetGateways(_ context.Context, r *frontdoor.Request, in *describeInternetGatewaysInput) (*describeInternetGatewaysOutput, error) {
	list, next, err := described[*vpc.InternetGateway, shownInternetGateway]{
		filters: "attachment.state attachment.vpc-id internet-gateway-id owner-id",
		kind:    vpc.KindInternetGateway, find: findInternetGateway, facts: internetGatewayFacts, show: showInternetGateway,
		rows: func(t *state.Tables, prefix, start string) iter.Seq[*vpc.InternetGateway] {
			return t.InternetGateways.Under(prefix, start)
		},
	}.page(a.store.View().Tables, r.Scope, asked{in.Filters, in.InternetGatewayIds, in.MaxResults, in.NextToken})
	if err != nil {
		return nil, err
	}
	return &describeInternetGatewaysOutput{InternetGateways: list, NextToken: next}, nil
}

func internetGatewayFacts(_ *state.Tables, s arn.Scope, g *vpc.InternetGateway) facts {
	f := facts{"internet-gateway-id": {g.ID()}, "owner-id": {s.Account}}
	if g.VpcID != "" {
		f["attachment.state"], f["attachment.vpc-id"] = []string{"available"}, []string{g.VpcID}
	}
	return f.tagged(g.Tags)
}
