package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// listContainerInstances answers with the ARNs of a cluster's container instances that are ACTIVE or DRAINING, or have the status asked for.
// INACTIVE ones are never listed.
func (a *API) listContainerInstances(_ context.Context, r *frontdoor.Request, in *awsecs.ListContainerInstancesInput) (
	*awsecs.ListContainerInstancesOutput, error,
) {
	if text(in.Filter) != "" {
		return nil, notActedOn("filter")
	}
	if err := validateEnum("status", in.Status); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	l, err := newListing("ListContainerInstances", pageSize{100, 100}, in.MaxResults, in.NextToken, string(c.ClusterArn), string(in.Status))
	if err != nil {
		return nil, err
	}
	rows := where(view.Instances.Under(string(c.ClusterArn.Instance("")), arn.Instance(l.after)), func(i *ecs.Instance) bool {
		return i.Status != ecs.Inactive && (in.Status == "" || i.Status == string(in.Status))
	})
	instances, next := page(l, rows, (*ecs.Instance).Key)
	return &awsecs.ListContainerInstancesOutput{ContainerInstanceArns: texts(instances, (*ecs.Instance).Key), NextToken: next}, nil
}
