package ecs

import (
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"

	"berth/internal/arn"
	"berth/internal/frontdoor"
)

// clusterOperations are the operations on clusters, with the resources that a policy is asked about.
func (a *API) clusterOperations() []frontdoor.Operation {
	return []frontdoor.Operation{
		frontdoor.Op("CreateCluster", a.createCluster),
		frontdoor.Op("DescribeClusters", a.describeClusters).On(func(r *frontdoor.Request, in any) []string {
			return clusterResources(r, in.(*awsecs.DescribeClustersInput).Clusters)
		}),
		frontdoor.Op("ListClusters", a.listClusters),
		frontdoor.Op("UpdateCluster", a.updateCluster).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.UpdateClusterInput).Cluster)
		}),
		frontdoor.Op("UpdateClusterSettings", a.updateClusterSettings).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.UpdateClusterSettingsInput).Cluster)
		}),
		frontdoor.Op("PutClusterCapacityProviders", a.putClusterCapacityProviders).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.PutClusterCapacityProvidersInput).Cluster)
		}),
		frontdoor.Op("DescribeCapacityProviders", a.describeCapacityProviders).On(func(r *frontdoor.Request, in any) []string {
			return providerResources(r, in.(*awsecs.DescribeCapacityProvidersInput).CapacityProviders)
		}),
		frontdoor.Op("DeleteCluster", a.deleteCluster).On(func(r *frontdoor.Request, in any) []string {
			return clusterResource(r, in.(*awsecs.DeleteClusterInput).Cluster)
		}),
	}
}

// clusterResource is the ARN of the cluster that a request names, as a policy is asked about it. A name that is no identifier is asked
// about as it stands: the operation refuses it.
func clusterResource(r *frontdoor.Request, name *string) []string {
	a, err := clusterARN(r, name)
	if err != nil {
		a = arn.Cluster(*name)
	}
	return []string{string(a)}
}

// clusterResources are the ARNs of several clusters, of the default one where none is named.
func clusterResources(r *frontdoor.Request, names []string) []string {
	if len(names) == 0 {
		return clusterResource(r, nil)
	}
	var out []string
	for i := range names {
		out = append(out, clusterResource(r, &names[i])...)
	}
	return out
}

// providerResources are the ARNs of the capacity providers that a request names, nil for all.
func providerResources(r *frontdoor.Request, names []string) (out []string) {
	for _, name := range names {
		if !arn.Is(name) {
			name = providerARN(r.Scope, name)
		}
		out = append(out, name)
	}
	return out
}
