package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// listServices answers with the ARNs of a cluster's services that are not INACTIVE, a page of ten unless more are asked for.
func (a *API) listServices(_ context.Context, r *frontdoor.Request, in *awsecs.ListServicesInput) (*awsecs.ListServicesOutput, error) {
	if err := validateEnum("launchType", in.LaunchType); err != nil {
		return nil, err
	}
	if err := validateEnum("schedulingStrategy", in.SchedulingStrategy); err != nil {
		return nil, err
	}
	if err := validateEnum("resourceManagementType", in.ResourceManagementType); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListServices", pageSize{10, 100}, in.MaxResults, in.NextToken,
		string(c.ClusterArn), string(in.LaunchType), string(in.SchedulingStrategy), string(in.ResourceManagementType))
	if err != nil {
		return nil, err
	}
	rows := where(view.Services.Under(string(c.ClusterArn.Service("")), arn.Service(l.after)), func(s *ecs.Service) bool {
		return s.Status != ecs.Inactive && (in.LaunchType == "" || s.RunsOn() == in.LaunchType) &&
			(in.SchedulingStrategy == "" || s.SchedulingStrategy == in.SchedulingStrategy) &&
			(in.ResourceManagementType == "" || in.ResourceManagementType == types.ResourceManagementTypeCustomer)
	})
	services, next := page(l, rows, (*ecs.Service).Key)
	return &awsecs.ListServicesOutput{ServiceArns: texts(services, (*ecs.Service).Key), NextToken: next}, nil
}
