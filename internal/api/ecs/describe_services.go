package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// mostServices is how many services one request describes.
const mostServices = 10

// describeServices shows services in the order asked for; one that is not known is a failure MISSING.
func (a *API) describeServices(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeServicesInput) (*awsecs.DescribeServicesOutput, error) {
	switch {
	case len(in.Services) == 0:
		return nil, apierr.InvalidParameter("Services cannot be empty.")
	case len(in.Services) > mostServices:
		return nil, apierr.InvalidParameter("services can have at most %d items, but had %d", mostServices, len(in.Services))
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	tags := slices.Contains(in.Include, types.ServiceFieldTags)
	out := &awsecs.DescribeServicesOutput{Services: []types.Service{}, Failures: []types.Failure{}}
	for _, name := range in.Services {
		x, err := serviceARN(c.ClusterArn, name)
		if err != nil {
			return nil, err
		}
		if s := v.Services.Get(x); s != nil {
			out.Services = append(out.Services, serviceView(v.Tables, s, tags))
		} else {
			out.Failures = append(out.Failures, failure(string(x), "MISSING"))
		}
	}
	return out, nil
}

// listServices lists the ARNs of a cluster's services that are not INACTIVE.
func (a *API) listServices(_ context.Context, r *frontdoor.Request, in *awsecs.ListServicesInput) (*awsecs.ListServicesOutput, error) {
	if err := validateServiceEnums(in.LaunchType, in.SchedulingStrategy, "", ""); err != nil {
		return nil, err
	}
	v := a.store.View()
	c, err := cluster(v.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListServices", pageSize{10, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), string(in.LaunchType), string(in.SchedulingStrategy))
	if err != nil {
		return nil, err
	}
	prefix := string(c.ClusterArn.Service(""))
	rows := where(v.Services.Under(prefix, arn.Service(l.after)), func(s *ecs.Service) bool {
		return s.Status != ecs.Inactive && (in.LaunchType == "" || in.LaunchType == s.LaunchType) &&
			(in.SchedulingStrategy == "" || in.SchedulingStrategy == s.SchedulingStrategy)
	})
	found, next := page(l, rows, func(s *ecs.Service) string { return s.Key() })
	return &awsecs.ListServicesOutput{ServiceArns: texts(found, func(s *ecs.Service) string { return s.Key() }), NextToken: next}, nil
}
