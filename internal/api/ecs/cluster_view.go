package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

// clusterParts says which parts of a cluster an answer fills in. The others are shown empty or, where AWS does so, not at all.
type clusterParts struct {
	settings, configuration, tags, statistics, attachments bool
}

// askedClusterParts reads DescribeClusters' include.
func askedClusterParts(include []types.ClusterField) (p clusterParts) {
	for _, f := range include {
		switch f {
		case types.ClusterFieldSettings:
			p.settings = true
		case types.ClusterFieldConfigurations:
			p.configuration = true
		case types.ClusterFieldTags:
			p.tags = true
		case types.ClusterFieldStatistics:
			p.statistics = true
		case types.ClusterFieldAttachments:
			p.attachments = true
		}
	}
	return p
}

// clusterView is the cluster as an answer shows it, with the numbers that t has of it.
func clusterView(t *state.Tables, c *ecs.Cluster, p clusterParts) *types.Cluster {
	n := t.Cluster(c.ClusterArn)
	name, a, status := c.ClusterArn.Name(), string(c.ClusterArn), c.Status
	v := &types.Cluster{
		ClusterArn: &a, ClusterName: &name, Status: &status,
		RegisteredContainerInstancesCount: int32(n.Instances),
		RunningTasksCount:                 int32(n.RunningTasks),
		PendingTasksCount:                 int32(n.PendingTasks),
		ActiveServicesCount:               int32(n.ActiveServices),
		CapacityProviders:                 orEmpty(c.CapacityProviders),
		DefaultCapacityProviderStrategy:   orEmpty(c.DefaultCapacityProviderStrategy),
		ServiceConnectDefaults:            c.ServiceConnectDefaults,
		Statistics:                        []types.KeyValuePair{},
		Settings:                          []types.ClusterSetting{},
		Tags:                              []types.Tag{},
	}
	p.fill(v, c, n)
	return v
}

func (p clusterParts) fill(v *types.Cluster, c *ecs.Cluster, n state.ClusterCounts) {
	if p.settings {
		v.Settings = orEmpty(c.Settings)
	}
	if p.tags {
		v.Tags = orEmpty(c.Tags)
	}
	if p.statistics {
		v.Statistics = clusterStatistics(n)
	}
	if p.attachments {
		v.Attachments = []types.Attachment{}
	}
	if p.configuration {
		v.Configuration = c.Configuration
		if v.Configuration == nil {
			v.Configuration = &types.ClusterConfiguration{}
		}
	}
}

// changedClusterView is what the operations that make or change a cluster answer: everything that was set, nothing that was not.
func changedClusterView(t *state.Tables, c *ecs.Cluster) *types.Cluster {
	return clusterView(t, c, clusterParts{settings: true, tags: true, configuration: c.Configuration != nil})
}

// clusterStatistics are the numbers by launch type, as strings. Every task and service runs on container instances: the Fargate ones are 0.
func clusterStatistics(n state.ClusterCounts) []types.KeyValuePair {
	pair := func(name string, n int) types.KeyValuePair {
		value := strconv.Itoa(n)
		return types.KeyValuePair{Name: &name, Value: &value}
	}
	return []types.KeyValuePair{
		pair("runningEC2TasksCount", n.RunningTasks),
		pair("runningFargateTasksCount", 0),
		pair("pendingEC2TasksCount", n.PendingTasks),
		pair("pendingFargateTasksCount", 0),
		pair("activeEC2ServiceCount", n.ActiveServices),
		pair("activeFargateServiceCount", 0),
		pair("drainingEC2ServiceCount", n.DrainingServices),
		pair("drainingFargateServiceCount", 0),
	}
}

// orEmpty is the list as answers show it: [] where there is none.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
