package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
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
		return nil, apierr.InvalidParameter("service names can have at most %d items.", mostServices)
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	if err := noBlank("Service", in.Services); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &awsecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, name := range in.Services {
		x, err := serviceARN(c.ClusterArn, name)
		if err != nil {
			return nil, err
		}
		if s := view.Services.Get(x); s != nil {
			out.Services = append(out.Services, serviceView(view.Tables, s, len(in.Include) > 0))
		} else {
			out.Failures = append(out.Failures, missing(string(x)))
		}
	}
	return out, nil
}
