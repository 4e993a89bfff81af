package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/apierr"
	"berth/internal/frontdoor"
)

// mostDescribed is how many resources one Describe request can name.
const mostDescribed = 100

// describeClusters answers with clusters in the order in which they are named, the default one where none is. Deleted ones are shown as
// INACTIVE; what does not exist is a failure.
func (a *API) describeClusters(_ context.Context, r *frontdoor.Request, in *awsecs.DescribeClustersInput) (*awsecs.DescribeClustersOutput, error) {
	if err := validateEnums("include", in.Include); err != nil {
		return nil, err
	}
	if len(in.Clusters) > mostDescribed {
		return nil, apierr.InvalidParameter("clusters can have at most %d items.", mostDescribed)
	}
	names := in.Clusters
	if len(names) == 0 {
		names = []string{"default"}
	}
	out := &awsecs.DescribeClustersOutput{Clusters: []types.Cluster{}, Failures: []types.Failure{}}
	view, parts := a.store.View(), askedClusterParts(in.Include)
	for i := range names {
		id, err := clusterARN(r, &names[i])
		if err != nil {
			return nil, err
		}
		if c := view.Clusters.Get(id); c != nil {
			out.Clusters = append(out.Clusters, *clusterView(view.Tables, c, parts))
		} else {
			out.Failures = append(out.Failures, missing(string(id)))
		}
	}
	return out, nil
}

// missing is the failure for a resource that does not exist.
func missing(id string) types.Failure {
	reason := "MISSING"
	return types.Failure{Arn: &id, Reason: &reason}
}
