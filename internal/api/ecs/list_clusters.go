package ecs

import (
	"context"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
)

// listClusters answers with the ARNs of the ACTIVE clusters of the caller's account and region, a page of at most 100 at a time.
func (a *API) listClusters(_ context.Context, r *frontdoor.Request, in *awsecs.ListClustersInput) (*awsecs.ListClustersOutput, error) {
	prefix := string(r.Scope.Cluster(""))
	l, err := newListing("ListClusters", pageSize{100, 100}, in.MaxResults, in.NextToken, prefix)
	if err != nil {
		return nil, err
	}
	rows := where(a.store.View().Clusters.Under(prefix, arn.Cluster(l.after)), func(c *ecs.Cluster) bool { return c.Status == ecs.Active })
	clusters, next := page(l, rows, (*ecs.Cluster).Key)
	return &awsecs.ListClustersOutput{ClusterArns: texts(clusters, (*ecs.Cluster).Key), NextToken: next}, nil
}
