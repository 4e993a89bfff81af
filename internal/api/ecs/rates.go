package ecs

import "berth/internal/frontdoor"

// rates are how often ECS lets an account call in a region, as it publishes them. What agents report has a bucket there too; here it has none,
// because the front door lets it in before everything else.
func rates() []frontdoor.Rate {
	r := func(name string, burst, perSecond float64, operations ...string) frontdoor.Rate {
		return frontdoor.Rate{Name: name, Burst: burst, PerSecond: perSecond, Operations: operations}
	}
	return []frontdoor.Rate{
		r("cluster modify", 20, 1, "CreateCluster", "DeleteCluster", "PutClusterCapacityProviders", "UpdateCluster", "UpdateClusterSettings"),
		r("cluster read", 50, 20, "DescribeClusters", "ListClusters"),
		r("task definition modify", 20, 1, "DeregisterTaskDefinition", "RegisterTaskDefinition"),
		r("task definition read", 50, 20, "DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"),
		r("task definition deletion", 5, 1, "DeleteTaskDefinitions"),
		r("capacity provider modify", 10, 1, "CreateCapacityProvider", "DeleteCapacityProvider", "UpdateCapacityProvider"),
		r("capacity provider read", 50, 20, "DescribeCapacityProviders"),
		r("tag modify", 20, 10, "TagResource", "UntagResource"),
		r("tag read", 50, 20, "ListTagsForResource"),
		r("setting modify", 10, 1, "DeleteAccountSetting", "PutAccountSetting", "PutAccountSettingDefault"),
		r("setting read", 50, 20, "ListAccountSettings"),
		r("cluster resource modify", 100, 40, "DeleteAttributes", "DeregisterContainerInstance", "ExecuteCommand", "PutAttributes", "RunTask",
			"StartTask", "StopTask", "UpdateContainerAgent", "UpdateContainerInstancesState"),
		r("cluster resource read", 100, 20, "DescribeContainerInstances", "DescribeTasks", "ListAttributes", "ListContainerInstances", "ListTasks"),
		r("agent modify", 200, 120, "RegisterContainerInstance"),
		r("service modify", 50, 5, "CreateService", "DeleteService", "UpdateService"),
		r("service read", 100, 20, "DescribeServices", "ListServices"),
		r("service deployment", 50, 20, "DescribeServiceDeployments", "ListServiceDeployments"),
		r("service revision", 50, 20, "DescribeServiceRevisions"),
		r("task protection", 200, 80, "UpdateTaskProtection", "GetTaskProtection"),
		r("cluster service resource read", 10, 1, "ListServicesByNamespace"),
	}
}
