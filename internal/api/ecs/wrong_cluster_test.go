package ecs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
	"berth/internal/state"
)

func TestWrongClusterRequests(t *testing.T) {
	const notFound = "ClusterNotFoundException"
	long := strings.Repeat("c", 256)
	many := strings.TrimSuffix(strings.Repeat(`"c",`, 101), ",")
	create := func(members, message string) badRequest {
		return badRequest{"CreateCluster", `{"clusterName":"new",` + members + `}`, parameter, message}
	}
	logging := func(c string) string {
		return `"configuration":{"executeCommandConfiguration":` + c + `}`
	}
	strategy := func(items string) string {
		return `"capacityProviders":["FARGATE","FARGATE_SPOT"],"defaultCapacityProviderStrategy":[` + items + `]`
	}
	const inconsistent = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
	namespace := "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1"
	task := "arn:aws:ecs:us-east-1:123456789012:task/demo/mine"
	refuses(t, []badRequest{
		{"CreateCluster", `{"clusterName":"a b"}`, parameter, `Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"CreateCluster", `{"clusterName":"` + long + `"}`, parameter, `Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was ` + long},
		create(`"tags":[{"key":"aws:x"}]`, "The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use."),
		create(`"tags":[{"key":"k"},{"key":"k"}]`, "Duplicate tag keys found: the tag key 'k' is given more than once."),
		create(`"settings":[{"value":"enabled"}]`, "settings.name should not be null or empty."),
		create(`"settings":[{"name":"x","value":"enabled"}]`, "settings.name should be one of [containerInsights]"),
		create(`"settings":[{"name":"containerInsights","value":"on"}]`, "Invalid setting 'value'"),
		create(`"settings":[{"name":"containerInsights"}]`, "Invalid setting 'value'"),
		create(`"settings":[{"name":"containerInsights","value":"enabled"},{"name":"containerInsights","value":"disabled"}]`,
			"The cluster setting 'containerInsights' is given more than once."),
		create(logging(`{"logging":"X"}`), "configuration.executeCommandConfiguration.logging should be one of [NONE,DEFAULT,OVERRIDE]"),
		create(logging(`{"logConfiguration":{"s3BucketName":"b"}}`), "You must set logging to 'OVERRIDE' when you supply a log configuration."),
		create(logging(`{"logging":"NONE","logConfiguration":{"s3BucketName":"b"}}`), "You must set logging to 'OVERRIDE' when you supply a log configuration."),
		create(logging(`{"logging":"DEFAULT","logConfiguration":{}}`), "You must set logging to 'OVERRIDE' when you supply a log configuration."),
		create(logging(`{"logging":"OVERRIDE"}`),
			"A CloudWatch log group name or S3 bucket name must be specified when overriding the logging configuration."),
		create(logging(`{"logging":"OVERRIDE","logConfiguration":{"s3KeyPrefix":"p"}}`),
			"A CloudWatch log group name or S3 bucket name must be specified when overriding the logging configuration."),
		create(`"capacityProviders":["mine"]`, "The specified capacity provider 'mine' was not found. Specify a valid capacity provider and try again."),
		create(`"capacityProviders":["FARGATE","FARGATE"]`, "The specified capacity provider 'FARGATE' is given more than once."),
		create(`"capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}]`,
			"The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. "+
				"Associate the capacity provider 'FARGATE_SPOT' with the cluster and try again."),
		create(strategy(`{"weight":1}`), "defaultCapacityProviderStrategy.capacityProvider should not be null or empty."),
		create(strategy(`{"capacityProvider":"FARGATE","base":1},{"capacityProvider":"FARGATE_SPOT","base":1}`),
			"The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one can have it."),
		create(strategy(`{"capacityProvider":"FARGATE"},{"capacityProvider":"FARGATE"}`),
			"The specified capacity provider strategy contains the capacity provider 'FARGATE' more than once."),
		create(strategy(`{"capacityProvider":"FARGATE","weight":1001}`), "The weight of the capacity provider 'FARGATE' must be between 0 and 1000."),
		create(strategy(`{"capacityProvider":"FARGATE","base":-1}`), "The base of the capacity provider 'FARGATE' must be between 0 and 100000."),
		create(strategy(strings.TrimSuffix(strings.Repeat(`{"capacityProvider":"FARGATE"},`, 21), ",")),
			"A capacity provider strategy can contain a maximum of 20 capacity providers."),
		create(`"serviceConnectDefaults":{}`, "serviceConnectDefaults.namespace should not be null."),
		create(`"serviceConnectDefaults":{"namespace":"`+strings.Repeat("n", 1025)+`"}`, "The namespace can be at most 1024 characters long."),
		create(`"serviceConnectDefaults":{"namespace":"`+task+`"}`, "Invalid namespace: "+task+" is not the ARN of a namespace."),
		{"CreateCluster", `{"clusterName":"new","serviceConnectDefaults":{"namespace":"` + namespace + `"}}`, "NamespaceNotFoundException",
			"The specified namespace was not found."},
		{"CreateCluster", `{"clusterName":"demo","configuration":{}}`, parameter, inconsistent},
		{"CreateCluster", `{"clusterName":"demo","serviceConnectDefaults":{"namespace":"n"}}`, parameter, inconsistent},
		{"CreateCluster", `{"clusterName":"demo","capacityProviders":["FARGATE"]}`, parameter, inconsistent},
		{"CreateCluster", `{"clusterName":"demo","settings":[{"name":"containerInsights","value":"enabled"}]}`, parameter, inconsistent},

		{"DescribeClusters", `{"include":["X"]}`, parameter, "include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]"},
		{"DescribeClusters", `{"include":[""]}`, parameter, "include should not contain an empty value."},
		{"DescribeClusters", `{"clusters":[` + many + `]}`, parameter, "clusters can have at most 100 items."},
		{"DescribeClusters", `{"clusters":["` + task + `"]}`, parameter, "Invalid identifier: Identifier is for a task. The request needs a cluster"},
		{"ListClusters", `{"maxResults":0}`, parameter, "maxResults must be between 1 and 100."},
		{"ListClusters", `{"maxResults":101}`, parameter, "maxResults must be between 1 and 100."},
		{"ListClusters", `{"nextToken":"?"}`, parameter, "Invalid token: nextToken is not one that ListClusters answered to these parameters."},

		{"UpdateCluster", `{}`, parameter, "cluster should not be null or empty."},
		{"UpdateCluster", `{"cluster":"nobody"}`, notFound, "Cluster not found."},
		{"UpdateCluster", `{"cluster":"gone"}`, notFound, "The referenced cluster was inactive."},
		{"UpdateCluster", `{"cluster":"demo","settings":[{"name":"x"}]}`, parameter, "settings.name should be one of [containerInsights]"},
		{"UpdateCluster", `{"cluster":"demo",` + logging(`{"logging":"OVERRIDE"}`) + `}`, parameter,
			"A CloudWatch log group name or S3 bucket name must be specified when overriding the logging configuration."},
		{"UpdateCluster", `{"cluster":"demo","serviceConnectDefaults":{}}`, parameter, "serviceConnectDefaults.namespace should not be null."},
		{"UpdateClusterSettings", `{"cluster":"demo"}`, parameter, "settings can not be empty."},
		{"UpdateClusterSettings", `{"settings":[{"name":"containerInsights","value":"enabled"}]}`, parameter, "cluster should not be null or empty."},
		{"UpdateClusterSettings", `{"cluster":"nobody","settings":[{"name":"containerInsights","value":"enabled"}]}`, notFound, "Cluster not found."},

		{"UpdateCluster", `{"cluster":"demo","serviceConnectDefaults":{"namespace":"` + namespace + `"}}`, "NamespaceNotFoundException",
			"The specified namespace was not found."},

		{"PutClusterCapacityProviders", `{"capacityProviders":[],"defaultCapacityProviderStrategy":[]}`, parameter, "cluster should not be null or empty."},
		{"PutClusterCapacityProviders", `{"cluster":"demo","defaultCapacityProviderStrategy":[]}`, parameter, "capacityProviders should not be null."},
		{"PutClusterCapacityProviders", `{"cluster":"demo","capacityProviders":[]}`, parameter, "defaultCapacityProviderStrategy should not be null."},
		{"PutClusterCapacityProviders", `{"cluster":"nobody","capacityProviders":[],"defaultCapacityProviderStrategy":[]}`, notFound, "Cluster not found."},
		{"PutClusterCapacityProviders", `{"cluster":"gone","capacityProviders":[],"defaultCapacityProviderStrategy":[]}`, notFound,
			"The referenced cluster was inactive."},
		{"PutClusterCapacityProviders", `{"cluster":"demo","capacityProviders":["mine"],"defaultCapacityProviderStrategy":[]}`, parameter,
			"The specified capacity provider 'mine' was not found. Specify a valid capacity provider and try again."},
		{"PutClusterCapacityProviders", `{"cluster":"demo","capacityProviders":[],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE"}]}`, parameter,
			"The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. " +
				"Associate the capacity provider 'FARGATE' with the cluster and try again."},

		{"ListServicesByNamespace", `{}`, parameter, "namespace should not be null or empty."},
		{"ListServicesByNamespace", `{"namespace":"n"}`, "NamespaceNotFoundException", "The specified namespace was not found."},
		{"ListServicesByNamespace", `{"namespace":"` + namespace + `"}`, "NamespaceNotFoundException", "The specified namespace was not found."},
		{"ListServicesByNamespace", `{"namespace":"` + task + `"}`, parameter, "Invalid namespace: " + task + " is not the ARN of a namespace."},
		{"ListServicesByNamespace", `{"namespace":"n","maxResults":101}`, parameter, "maxResults must be between 1 and 100."},

		{"DeleteCluster", `{}`, parameter, "cluster should not be null or empty."},
		{"DeleteCluster", `{"cluster":"nobody"}`, notFound, "Cluster not found."},
		{"DeleteCluster", `{"cluster":"gone"}`, notFound, "The referenced cluster was inactive."},
		{"DeleteCluster", `{"cluster":"demo"}`, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."},
	})
}

// What keeps a cluster from being deleted, one thing at a time.
func TestDeleteClusterInUse(t *testing.T) {
	tasks := "The Cluster cannot be deleted while Tasks are active."
	instances := "The Cluster cannot be deleted while Container Instances are active or draining."
	p := newLaunchPad(t)
	deletion := func(code, message string) {
		t.Helper()
		before := p.store.View().N
		_, err := p.ask(t, "ADMIN", "DeleteCluster", `{"cluster":"demo"}`)
		if err == nil || err.Code != code || err.Message != message || p.store.View().N != before {
			t.Errorf("got %v, want %s: %s", err, code, message)
		}
	}
	deletion("ClusterContainsContainerInstancesException", instances)
	if _, err := p.ask(t, "ADMIN", "RunTask", `{"cluster":"demo","taskDefinition":"port"}`); err != nil {
		t.Fatal(err)
	}
	deletion("ClusterContainsTasksException", tasks)
	advance := func(to ecs.TaskStatus) {
		t.Helper()
		err := p.store.Update(t.Context(), func(tx *state.Tx) error {
			task := p.tasks()[0].Clone()
			task.Stop(shopAt, types.TaskStopCodeUserInitiated, "enough")
			task.Advance(to)
			if to == ecs.Stopped {
				task.StoppedAt = &shopAt
			}
			tx.Put(task)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	advance(ecs.Deprovisioning) // neither running nor pending, and yet there
	deletion("ClusterContainsTasksException", tasks)
	advance(ecs.Stopped)
	deletion("ClusterContainsContainerInstancesException", instances)
}

// In a cluster with a default strategy, what names neither a launch type nor a strategy follows it.
func TestDefaultStrategyIsFollowed(t *testing.T) {
	p := newLaunchPad(t)
	p.must(t, "PutClusterCapacityProviders", `{"cluster":"demo","capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":1}]}`)
	before := p.store.View().N
	for operation, body := range map[string]string{
		"RunTask": `{"cluster":"demo","taskDefinition":"port"%s}`, "CreateService": `{"cluster":"demo","serviceName":"s","taskDefinition":"port","desiredCount":0%s}`,
	} {
		_, err := p.ask(t, "ADMIN", operation, fmt.Sprintf(body, ""))
		if err == nil || err.Code != parameter || err.Message != "Task definition does not support launch_type FARGATE." || p.store.View().N != before {
			t.Errorf("%s: %v", operation, err)
		}
	}
	p.must(t, "RunTask", `{"cluster":"demo","taskDefinition":"port","launchType":"EC2"}`)
	p.must(t, "CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"port","desiredCount":0,"launchType":"EC2"}`)
	p.must(t, "PutClusterCapacityProviders", `{"cluster":"demo","capacityProviders":["FARGATE"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":0}]}`)
	if _, err := p.ask(t, "ADMIN", "RunTask", `{"cluster":"demo","taskDefinition":"port"}`); err == nil || !strings.HasPrefix(err.Message, "There are no capacity providers") {
		t.Errorf("a default strategy without weights: %v", err)
	}
}
