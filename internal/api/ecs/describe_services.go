package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// mostServices is how many services one DescribeServices can name.
const mostServices = 10

// describeServices answers with services in the order in which they are named, also with deleted ones as long as they are kept. What does
// not exist is a failure.
func (a *API) describeServices(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeServicesInput) (*awsecs.DescribeServicesOutput, error) {
	switch {
	case len(in.Services) == 0:
		return nil, apierr.InvalidParameter("Services cannot be empty.")
	case len(in.Services) > mostServices:
		return nil, apierr.InvalidParameter("services can have at most %d items.", mostServices)
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &awsecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, name := range in.Services {
		s, err := findService(view.Tables, c.ClusterArn, name)
		switch {
		case err != nil:
			return nil, err
		case s != nil:
			out.Services = append(out.Services, serviceView(view.Tables, s, len(in.Include) > 0))
		case arn.Is(name):
			out.Failures = append(out.Failures, missing(name))
		default:
			out.Failures = append(out.Failures, missing(string(c.ClusterArn.Service(name))))
		}
	}
	return out, nil
}
