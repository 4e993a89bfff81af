package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
	"berth/internal/state"
	"berth/internal/vpc"
)

type createRouteTableInput struct {
	ClientToken       *string
	DryRun            *bool
	TagSpecifications []TagSpecification `json:"TagSpecification"`
	VpcId             *string
}

type createRouteTableOutput struct {
	ClientToken string
	RouteTable  shownRouteTable
}

func (a *API) createRouteTable(ctx context.Context, r *frontdoor.Request, in *createRouteTableInput) (*createRouteTableOutput, error) {
	tags, err := tagsFor("route-table", in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	if err := checkToken(in.ClientToken); err != nil {
		return nil, err
	}
	out := &createRouteTableOutput{ClientToken: text(in.ClientToken)}
	return out, a.store.Update(ctx, func(tx *state.Tx) error {
		v, err := namedVPC(tx.Tables, r.Scope, in.VpcId)
		if err != nil {
			return err
		}
		for old := range routeTables(tx.Tables, r.Scope) {
			if old.ClientToken == "" || old.ClientToken != out.ClientToken {
				continue
			}
			if old.VpcID != v.ID() {
				return otherRequest()
			}
			out.RouteTable = showRouteTable(tx.Tables, r.Scope, old)
			return nil
		}
		if count(routeTablesOf(tx.Tables, r.Scope, v.ID())) >= mostRouteTables {
			return limit("RouteTable", "route tables")
		}
		table := &vpc.RouteTable{Arn: vpc.ARN(r.Scope, vpc.KindRouteTable, newID("rtb-")), VpcID: v.ID(), Tags: tags, ClientToken: out.ClientToken}
		tx.Put(table)
		out.RouteTable = showRouteTable(tx.Tables, r.Scope, table)
		return nil
	})
}

// longestToken is EC2's limit on client tokens.
const longestToken = 64

// checkToken checks a client token: a resource that a request with the same one has made is answered again, and not made twice.
func checkToken(token *string) error {
	t := text(token)
	if len(t) > longestToken {
		return invalid("Invalid client token: it can have up to %d ASCII characters.", longestToken)
	}
	for _, c := range t {
		if c < ' ' || c > '~' {
			return invalid("Invalid client token: it can have up to %d ASCII characters.", longestToken)
		}
	}
	return nil
}

// otherRequest is EC2's error for a client token of another request.
func otherRequest() error {
	return apierr.New("IdempotentParameterMismatch",
		"The client token you have provided is associated with a resource that was made with different parameters.")
}
