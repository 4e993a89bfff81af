package ec2

import (
	"context"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// vpcEndpointOperations are the operations on VPC endpoints, of which there are none.
func (a *API) vpcEndpointOperations() []frontdoor.Operation {
	return []frontdoor.Operation{operation(a, "DescribeVpcEndpoints", a.describeVpcEndpoints)}
}

type describeVpcEndpointsInput struct {
	DryRun         *bool
	Filters        []Filter `json:"Filter"`
	MaxResults     *int32
	NextToken      *string
	VpcEndpointIds []string `json:"VpcEndpointId"`
}

type describeVpcEndpointsOutput struct {
	VpcEndpoints []string `json:"vpcEndpointSet"`
}

// describeVpcEndpoints answers as for an account that has no VPC endpoint: clients ask before they delete a subnet.
func (a *API) describeVpcEndpoints(_ context.Context, _ *frontdoor.Request, in *describeVpcEndpointsInput) (*describeVpcEndpointsOutput, error) {
	if _, err := newPager("vpc endpoints", in.MaxResults, in.NextToken, in.VpcEndpointIds); err != nil {
		return nil, err
	}
	if _, err := newSelection(in.Filters, in.VpcEndpointIds, "ip-address-type", "service-name", "service-region", "vpc-endpoint-id", "vpc-endpoint-state",
		"vpc-endpoint-type", "vpc-id"); err != nil {
		return nil, err
	}
	if len(in.VpcEndpointIds) > 0 {
		return nil, apierr.New("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%.64s' does not exist", in.VpcEndpointIds[0])
	}
	return &describeVpcEndpointsOutput{VpcEndpoints: []string{}}, nil
}
