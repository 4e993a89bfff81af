package ecs

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/arn"
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
	p.fill(v, t, c)
	return v
}

func (p clusterParts) fill(v *types.Cluster, t *state.Tables, c *ecs.Cluster) {
	if p.settings {
		v.Settings = filledClusterSettings(c.Settings, noInsights)
	}
	if p.tags {
		v.Tags = orEmpty(c.Tags)
	}
	if p.statistics {
		v.Statistics = clusterStatistics(t, c.ClusterArn)
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

// clusterStatistics are the numbers by launch type, as strings and in AWS's order.
func clusterStatistics(t *state.Tables, c arn.Cluster) []types.KeyValuePair {
	ec2, fargate := t.Launched(c, types.LaunchTypeEc2), t.Launched(c, types.LaunchTypeFargate)
	external, managed := t.Launched(c, types.LaunchTypeExternal), t.Launched(c, types.LaunchTypeManagedInstances)
	pair := func(name string, n int) types.KeyValuePair {
		value := strconv.Itoa(n)
		return types.KeyValuePair{Name: &name, Value: &value}
	}
	return []types.KeyValuePair{
		pair("runningEC2TasksCount", ec2.Running),
		pair("runningFargateTasksCount", fargate.Running),
		pair("pendingEC2TasksCount", ec2.Pending),
		pair("pendingFargateTasksCount", fargate.Pending),
		pair("runningExternalTasksCount", external.Running),
		pair("pendingExternalTasksCount", external.Pending),
		pair("runningManagedInstancesTasksCount", managed.Running),
		pair("pendingManagedInstancesTasksCount", managed.Pending),
		pair("activeEC2ServiceCount", ec2.Active),
		pair("activeFargateServiceCount", fargate.Active),
		pair("drainingEC2ServiceCount", ec2.Draining),
		pair("drainingFargateServiceCount", fargate.Draining),
		pair("activeExternalServiceCount", external.Active),
		pair("drainingExternalServiceCount", external.Draining),
		pair("activeManagedInstancesServiceCount", managed.Active),
		pair("drainingManagedInstancesServiceCount", managed.Draining),
	}
}

// orEmpty is the list as answers show it: [] where there is none.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
