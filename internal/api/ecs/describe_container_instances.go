package ecs

import (
	"context"
	"slices"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// describeContainerInstances answers with container instances in the order in which they are named, INACTIVE ones too. What is not in the
// cluster is a failure.
func (a *API) describeContainerInstances(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeContainerInstancesInput) (
	*awsecs.DescribeContainerInstancesOutput, error,
) {
	switch {
	case len(in.ContainerInstances) == 0:
		return nil, apierr.ClientException("Container Instances cannot be empty.")
	case len(in.ContainerInstances) > mostDescribed:
		return nil, apierr.InvalidParameter("instanceIds can have at most %d items.", mostDescribed)
	}
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	if err := noBlank("Container instance", in.ContainerInstances); err != nil {
		return nil, err
	}
	view := a.store.View()
	c, err := cluster(view.Tables, r, in.Cluster)
	if err != nil {
		return nil, err
	}
	tags := slices.Contains(in.Include, types.ContainerInstanceFieldTags)
	health := slices.Contains(in.Include, types.ContainerInstanceFieldContainerInstanceHealth)
	out := &awsecs.DescribeContainerInstancesOutput{ContainerInstances: []types.ContainerInstance{}, Failures: []types.Failure{}}
	for _, name := range in.ContainerInstances {
		x, err := instanceARN(c.ClusterArn, name)
		if err != nil {
			return nil, err
		}
		i := view.Instances.Get(x)
		if i == nil {
			out.Failures = append(out.Failures, missing(string(x)))
			continue
		}
		v := instanceView(view.Tables, i, tags)
		if health {
			v.HealthStatus = healthView(i)
		}
		out.ContainerInstances = append(out.ContainerInstances, v)
	}
	return out, nil
}
