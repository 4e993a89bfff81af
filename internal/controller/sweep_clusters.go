package controller

import (
	"time"

	"berth/internal/arn"
	"berth/internal/ecs"
	"berth/internal/state"
)

// inactiveClusters are those that were deleted a while ago and of which nothing is left. The default cluster's record stays: without it, the
// next leader would take the installation for a new one and make the cluster again.
func inactiveClusters(v *state.Snapshot, now time.Time) (due []ecs.Record) {
	for c := range v.Clusters.All() {
		if c.Status == ecs.Inactive && c.InactiveAt != nil && now.Sub(*c.InactiveAt) >= keepInactive && c.ClusterArn.Name() != "default" &&
			!inhabited(v, c.ClusterArn) {
			due = append(due, c)
		}
	}
	return due
}

// inhabited reports whether there is a record of anything that was in the cluster.
func inhabited(v *state.Snapshot, c arn.Cluster) bool {
	for range v.Tasks.Under(string(c.Task("")), "") {
		return true
	}
	for range v.Services.Under(string(c.Service("")), "") {
		return true
	}
	for range v.Instances.Under(string(c.Instance("")), "") {
		return true
	}
	return false
}
