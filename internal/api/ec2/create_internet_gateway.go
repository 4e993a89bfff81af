package ec2

import (
	"context"

	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createInternetGatewayInput struct {
	DryRun            *bool
	TagSpecifications []TagSpecification `json:"TagSpecification"`
}

type createInternetGatewayOutput struct{ InternetGateway shownInternetGateway }

func (a *API) createInternetGateway(ctx context.Context, r *frontdoor.Request, in *createInternetGatewayInput) (*createInternetGatewayOutput, error) {
	tags, err := tagsFor("internet-gateway", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	out := &createInternetGatewayOutput{}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		if count(internetGateways(tx.Tables, r.Scope)) >= mostInternetGateways {
			return limit("InternetGateway", "internet gateways")
		}
		g := &vpc.InternetGateway{Arn: vpc.ARN(r.Scope, vpc.KindInternetGateway, newID("igw-")), Tags: tags}
		tx.Put(g)
		out.InternetGateway = showInternetGateway(tx.Tables, r.Scope, g)
		return nil
	})
}
