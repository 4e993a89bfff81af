package ecs

import (
	"berth/internal/apierr"
	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/frontdoor"
	"berth/internal/state"
)

// roomForCluster refuses one more cluster than the account can have in the region.
func (a *API) roomForCluster(t *state.Tables, r *frontdoor.Request) error {
	n, most := 0, a.config.Quotas.Clusters
	for c := range t.Clusters.Under(string(r.Scope.Cluster("")), "") {
		if c.Status == ecs.Active {
			n++
		}
	}
	if n >= most {
		return apierr.LimitExceeded(most, "clusters of an account in a region")
	}
	return nil
}

// roomForService refuses one more service than the cluster can have.
func (a *API) roomForService(t *state.Tables, c arn.Cluster) error {
	if n, most := t.Cluster(c), a.config.Quotas.ServicesPerCluster; n.ActiveServices+n.DrainingServices >= most {
		return apierr.LimitExceeded(most, "services of a cluster")
	}
	return nil
}

// roomForInstance refuses one more container instance than the cluster can have.
func (a *API) roomForInstance(t *state.Tables, c arn.Cluster) error {
	if most := a.config.Quotas.InstancesPerCluster; t.Cluster(c).Instances >= most {
		return apierr.LimitExceeded(most, "container instances of a cluster")
	}
	return nil
}
