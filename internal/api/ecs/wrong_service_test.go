package ecs

import (
	"fmt"
	"strings"
	"testing"
)

// badRequest is a request that must be refused, and how.
type badRequest struct{ operation, body, code, message string }

// refuses checks that each request gets its error, and that the store has not changed.
func refuses(t *testing.T, tests []badRequest) {
	t.Helper()
	p := newLaunchPad(t, shop()...)
	before := p.store.View().N
	for _, test := range tests {
		t.Run(test.operation+" "+test.message, func(t *testing.T) {
			out, err := p.ask(t, "ADMIN", test.operation, test.body)
			if err == nil {
				t.Fatalf("accepted: %s", out)
			}
			if err.Code != test.code || err.Message != test.message {
				t.Errorf("got %s: %s\nwant %s: %s", err.Code, err.Message, test.code, test.message)
			}
			if n := p.store.View().N; n != before {
				t.Errorf("the store has changed: commit %d after %d", n, before)
			}
		})
	}
}

const (
	parameter = "InvalidParameterException"
	client    = "ClientException"
)

// unserved is the message for a member that is not acted on yet.
func unserved(member string) string { return notActedOn(member).Error()[len(parameter)+2:] }

// wrongSettings are those that CreateService and UpdateService refuse alike.
func wrongSettings() [][2]string {
	six := strings.TrimSuffix(strings.Repeat(`{"type":"random"},`, 6), ",")
	return [][2]string{
		{`"desiredCount":-1`, "desiredCount must be at least 0, but was -1"},
		{`"desiredCount":5001`, "desiredCount must be at most 5000, the quota of tasks of a service, but was 5001"},
		{`"capacityProviderStrategy":[{"capacityProvider":"p","weight":1}]`, "The specified capacity provider 'p' was not found. Specify a valid capacity provider and try again."},
		{`"capacityProviderStrategy":[{"weight":1}]`, "capacityProviderStrategy.capacityProvider should not be null or empty."},
		{`"capacityProviderStrategy":[{"capacityProvider":"FARGATE"},{"capacityProvider":"FARGATE_SPOT"}]`,
			"There are no capacity providers in the capacity provider strategy with a weight value greater than zero. " +
				"Specify a weight value greater than zero for at least one of them and try again."},
		{`"capacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":1,"base":1},{"capacityProvider":"FARGATE_SPOT","base":1}]`,
			"There are multiple capacity providers in the specified capacity provider strategy with a base value defined. Only one can have it."},
		{`"platformVersion":"LATEST"`, "The platform version must be null when specifying an EC2 launch type."},
		{`"deploymentController":{"type":"CODE_DEPLOY"}`, unserved("deploymentController.type CODE_DEPLOY")},
		{`"deploymentController":{"type":"X"}`, "deploymentController.type should be one of [ECS,CODE_DEPLOY,EXTERNAL], but was 'X'"},
		{`"loadBalancers":[{"containerName":"web"}]`, "Target Group ARN and Load Balancer Name cannot both be blank."},
		{`"loadBalancers":[{"targetGroupArn":"a","loadBalancerName":"b"}]`, "loadBalancerName and targetGroupArn cannot both be specified."},
		{`"loadBalancers":[{"targetGroupArn":"a"}]`, unserved("loadBalancers")},
		{`"serviceRegistries":[{},{}]`, "service registries can have at most 1 items"},
		{`"serviceRegistries":[{}]`, unserved("serviceRegistries")},
		{`"serviceConnectConfiguration":{"enabled":true}`, unserved("serviceConnectConfiguration")},
		{`"volumeConfigurations":[{"name":"v"}]`, unserved("volumeConfigurations")},
		{`"vpcLatticeConfigurations":[{}]`, unserved("vpcLatticeConfigurations")},
		{`"healthCheckGracePeriodSeconds":-1`, "healthCheckGracePeriodSeconds must be at least 0, but was -1"},
		{`"healthCheckGracePeriodSeconds":9`, "Health check grace period is only valid for services configured to use load balancers"},
		{`"placementStrategy":[` + six + `]`, "Maximum number of strategies is 5"},
		{`"placementStrategy":[{"type":"binpack","field":"x"}]`, "binpack field 'x' is invalid"},
		{`"placementStrategy":[{"type":"random","field":"x"}]`, "random field should not be specified"},
		{`"placementConstraints":[{"type":"distinctInstance","expression":"x"}]`, "distinctInstance expression should not be specified."},
		{`"placementConstraints":[{"type":"memberOf","expression":"x"}]`, `memberOf expression 'x' is invalid: unknown subject "x"`},
		{`"placementConstraints":[{"type":"memberOf"}]`, "memberOf expression should be specified"},
		{`"placementConstraints":[{"type":"memberOf","expression":"attribute:` + strings.Repeat("a", 2000) + ` exists"}]`,
			"memberOf expression 'attribute:" + strings.Repeat("a", 191) + "...' is invalid: it can have at most 2000 characters"},
		{`"placementConstraints":[{"type":"X"}]`, "placementConstraints type should be one of [distinctInstance,memberOf], but was 'X'"},
		{`"placementConstraints":[` + strings.TrimSuffix(strings.Repeat(`{"type":"distinctInstance"},`, 11), ",") + `]`, "Maximum number of constraints is 10"},
		{`"placementStrategy":[{"type":"spread","field":"rack"}]`, "spread field 'rack' is invalid"},
		{`"placementStrategy":[{"type":"X"}]`, "placementStrategy type should be one of [random,spread,binpack], but was 'X'"},
		{`"availabilityZoneRebalancing":"ENABLED","placementConstraints":[{"type":"memberOf","expression":"attribute:ecs.availability-zone == a"}]`,
			"Availability Zone Rebalancing does not support attribute:ecs.availability-zone as a placement constraint"},
		{`"propagateTags":"X"`, "propagateTags should be one of [TASK_DEFINITION,SERVICE,NONE]"},
		{`"availabilityZoneRebalancing":"X"`, "availabilityZoneRebalancing should be one of [ENABLED,DISABLED]"},
		{`"availabilityZoneRebalancing":"ENABLED","placementStrategy":[{"type":"random"}]`,
			"Availability Zone Rebalancing needs spread over attribute:ecs.availability-zone as the first placement strategy"},
		{`"availabilityZoneRebalancing":"ENABLED","deploymentConfiguration":{"maximumPercent":100,"minimumHealthyPercent":0}`,
			"Availability Zone Rebalancing does not support maximumPercent <= 100%"},
		{`"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`, "Network Configuration is not valid for the given networkMode of this task definition."},
		{`"deploymentConfiguration":{"strategy":"BLUE_GREEN"}`, unserved("deploymentConfiguration.strategy BLUE_GREEN")},
		{`"deploymentConfiguration":{"strategy":"X"}`, "deploymentConfiguration.strategy should be one of [ROLLING,BLUE_GREEN,LINEAR,CANARY]"},
		{`"deploymentConfiguration":{"alarms":{"alarmNames":[],"enable":true,"rollback":false}}`,
			"deploymentConfiguration.alarms.alarmNames should not be null or empty where alarms are enabled."},
		{`"deploymentConfiguration":{"alarms":{"alarmNames":["a","b","a"],"enable":true,"rollback":false}}`,
			"deploymentConfiguration.alarms.alarmNames has 'a' more than once."},
		{`"deploymentConfiguration":{"alarms":{"alarmNames":["a",""],"enable":false,"rollback":false}}`,
			"deploymentConfiguration.alarms.alarmNames should be 1 to 255 characters long, but one has 0."},
		{`"deploymentConfiguration":{"alarms":{"alarmNames":["` + strings.Repeat("a", 256) + `"],"enable":true,"rollback":true}}`,
			"deploymentConfiguration.alarms.alarmNames should be 1 to 255 characters long, but one has 256."},
		{`"deploymentConfiguration":{"alarms":{"alarmNames":["` + strings.Repeat(`a","`, 100) + `b"],"enable":true,"rollback":true}}`,
			"deploymentConfiguration.alarms.alarmNames can have at most 100 items."},
		{`"deploymentConfiguration":{"lifecycleHooks":[{}]}`, unserved("deploymentConfiguration.lifecycleHooks")},
		{`"deploymentConfiguration":{"canaryConfiguration":{}}`, unserved("deploymentConfiguration.canaryConfiguration")},
		{`"deploymentConfiguration":{"linearConfiguration":{}}`, unserved("deploymentConfiguration.linearConfiguration")},
		{`"deploymentConfiguration":{"bakeTimeInMinutes":-1}`, "bakeTimeInMinutes must be at least 0"},
		{`"deploymentConfiguration":{"bakeTimeInMinutes":5}`, unserved("deploymentConfiguration.bakeTimeInMinutes")},
		{`"deploymentConfiguration":{"minimumHealthyPercent":-1}`, "minimumHealthyPercent must be at least 0"},
		{`"deploymentConfiguration":{"minimumHealthyPercent":101}`, "minimumHealthyPercent must be at most 100"},
		{`"deploymentConfiguration":{"maximumPercent":99}`, "maximumPercent must be at least 100"},
		{`"deploymentConfiguration":{"maximumPercent":100001}`, "maximumPercent must be at most 100000"},
		{`"deploymentConfiguration":{"maximumPercent":100}`, "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."},
		{`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false,"thresholdConfiguration":{"value":3}}}`,
			"deploymentCircuitBreaker.thresholdConfiguration.type should not be null or empty."},
		{`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false,"thresholdConfiguration":{"type":"COUNT","value":0}}}`,
			"deploymentCircuitBreaker.thresholdConfiguration.value must be at least 1, but was 0"},
		{`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false,"thresholdConfiguration":{"type":"X","value":3}}}`,
			"deploymentCircuitBreaker.thresholdConfiguration.type should be one of [COUNT,BOUNDED_PERCENT,UNBOUNDED_PERCENT]"},
	}
}

func TestWrongCreateService(t *testing.T) {
	tests := []badRequest{
		{"CreateService", `{"taskDefinition":"web","desiredCount":1}`, parameter, `Service name must match ^[a-zA-Z0-9\-_]{1,255}$, but was `},
		{"CreateService", `{"serviceName":"a b","taskDefinition":"web","desiredCount":1}`, parameter, `Service name must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"CreateService", `{"serviceName":"s","taskDefinition":"web","desiredCount":1}`, "ClusterNotFoundException", "Cluster not found."},
		{"CreateService", `{"cluster":"gone","serviceName":"s","taskDefinition":"web","desiredCount":1}`, "ClusterNotFoundException", "The referenced cluster was inactive."},
		{"CreateService", `{"cluster":"demo","serviceName":"s","desiredCount":1}`, parameter, "TaskDefinition can not be blank."},
		{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web"}`, parameter, "desiredCount is required for services of scheduling strategy REPLICA."},
		{"CreateService", `{"cluster":"demo","serviceName":"leaving","taskDefinition":"web","desiredCount":0}`, parameter, "Unable to Start a service that is still Draining."},
		{"CreateService", `{"cluster":"demo","serviceName":"quiet","taskDefinition":"web","desiredCount":1}`, parameter, "Creation of service was not idempotent."},
		{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web","desiredCount":1,"launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"x"}]}`,
			parameter, "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."},
	}
	add := func(code, member, message string) {
		tests = append(tests, badRequest{"CreateService", fmt.Sprintf(`{"cluster":"demo","serviceName":"s","taskDefinition":"web","desiredCount":1,%s}`, member), code, message})
	}
	add(client, `"taskDefinition":"nobody"`, "TaskDefinition not found.")
	add(client, `"taskDefinition":"old:1"`, "TaskDefinition is inactive")
	add(parameter, `"taskDefinition":"vpc"`, "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	add(parameter, `"taskDefinition":"vpc","networkConfiguration":{"awsvpcConfiguration":{"subnets":[]}}`, "subnets can not be empty.")
	add(parameter, `"taskDefinition":"vpc","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`, "Error retrieving subnet information for [s]: The subnet ID 's' does not exist (ErrorCode: InvalidSubnetID.NotFound)")
	add(parameter, `"launchType":"FARGATE"`, "Task definition does not support launch_type FARGATE.")
	add(parameter, `"launchType":"EXTERNAL"`, "Task definition does not support launch_type EXTERNAL.")
	add(client, `"launchType":"X"`, "launch type should be one of [EC2,FARGATE,EXTERNAL]")
	add(parameter, `"schedulingStrategy":"X"`, "schedulingStrategy should be one of [REPLICA,DAEMON]")
	add(parameter, `"schedulingStrategy":"DAEMON"`, "The daemon scheduling strategy does not support a desired count for services.")
	add(parameter, `"role":"r"`, "IAM roles are only valid for services configured to use load balancers.")
	add(parameter, `"clientToken":"`+strings.Repeat("t", 37)+`"`, "clientToken can be at most 36 ASCII characters long, none of them a blank.")
	add(parameter, `"clientToken":"a b"`, "clientToken can be at most 36 ASCII characters long, none of them a blank.")
	add(parameter, `"tags":[{"value":"v"}]`, "Tag key should not be null or empty.")
	add(parameter, `"enableExecuteCommand":true`, "The service couldn't be created because a valid taskRoleArn is not being used. "+
		"Specify a valid task role in your task definition and try again.")
	tests = append(tests,
		badRequest{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web","schedulingStrategy":"DAEMON","deploymentConfiguration":{"maximumPercent":101}}`,
			parameter, "The daemon scheduling strategy does not support values above 100 for maximumPercent."},
		badRequest{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web","schedulingStrategy":"DAEMON","deploymentConfiguration":{"minimumHealthyPercent":100}}`,
			parameter, "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."},
		badRequest{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web","schedulingStrategy":"DAEMON","availabilityZoneRebalancing":"ENABLED"}`,
			parameter, "Availability Zone Rebalancing does not support DAEMON services"},
		badRequest{"CreateService", `{"cluster":"demo","serviceName":"s","taskDefinition":"web","schedulingStrategy":"DAEMON","placementStrategy":[{"type":"random"}]}`,
			parameter, "The daemon scheduling strategy does not support placement strategies."})
	for _, s := range wrongSettings() {
		add(parameter, s[0], s[1])
	}
	refuses(t, tests)
}

func TestWrongUpdateService(t *testing.T) {
	tests := []badRequest{
		{"UpdateService", `{"cluster":"demo"}`, parameter, "Service can not be blank."},
		{"UpdateService", `{"service":"web"}`, "ClusterNotFoundException", "Cluster not found."},
		{"UpdateService", `{"cluster":"demo","service":"nobody"}`, "ServiceNotFoundException", "Service not found."},
		{"UpdateService", `{"cluster":"empty","service":"arn:aws:ecs:us-east-1:123456789012:service/demo/web"}`, parameter, "Invalid identifier: Identifier is for cluster demo. Your cluster is empty"},
		{"UpdateService", `{"cluster":"demo","service":"arn:aws:ecs:us-east-1:123456789012:task/demo/web"}`, parameter,
			"Invalid identifier: Identifier is for a task. The request needs a service"},
		{"UpdateService", `{"cluster":"demo","service":"leaving"}`, "ServiceNotActiveException", "Service was not ACTIVE."},
		{"UpdateService", `{"cluster":"demo","service":"left"}`, "ServiceNotActiveException", "Service was not ACTIVE."},
		{"UpdateService", `{"cluster":"demo","service":"web","taskDefinition":"nobody"}`, client, "TaskDefinition not found."},
		{"UpdateService", `{"cluster":"demo","service":"web","taskDefinition":"old:1"}`, client, "TaskDefinition is inactive"},
		{"UpdateService", `{"cluster":"demo","service":"web","enableExecuteCommand":true}`, parameter,
			"The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again."},
	}
	for _, s := range wrongSettings() {
		tests = append(tests, badRequest{"UpdateService", `{"cluster":"demo","service":"web",` + s[0] + `}`, parameter, s[1]})
	}
	refuses(t, tests)
}

// A service of strategy DAEMON cannot be given by an update what it could not be made with.
func TestWrongDaemonUpdates(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	const daemon = `"cluster":"demo","taskDefinition":"port","schedulingStrategy":"DAEMON"`
	p.answers(t, "CreateService", `{`+daemon+`,"serviceName":"d","desiredCount":0}`, parameter, "The daemon scheduling strategy does not support a desired count for services.")
	out := p.must(t, "CreateService", `{`+daemon+`,"serviceName":"d"}`)
	for _, want := range []string{`"maximumPercent":100,"minimumHealthyPercent":0`, `"availabilityZoneRebalancing":"DISABLED"`, `"desiredCount":0`} {
		if !strings.Contains(out, want) {
			t.Errorf("a new one has no %s: %s", want, out)
		}
	}
	p.must(t, "CreateService", `{`+daemon+`,"serviceName":"d"}`) // the same again
	for members, message := range map[string]string{
		`"desiredCount":0`:                                 "The daemon scheduling strategy does not support a desired count for services.",
		`"placementStrategy":[{"type":"random"}]`:          "The daemon scheduling strategy does not support placement strategies.",
		`"availabilityZoneRebalancing":"ENABLED"`:          "Availability Zone Rebalancing does not support DAEMON services",
		`"deploymentConfiguration":{"maximumPercent":101}`: "The daemon scheduling strategy does not support values above 100 for maximumPercent.",
		`"deploymentConfiguration":{"minimumHealthyPercent":100}`: "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block " +
			"deployments.",
	} {
		p.answers(t, "UpdateService", `{"cluster":"demo","service":"d",`+members+`}`, parameter, message)
	}
}

func TestWrongServiceReads(t *testing.T) {
	eleven := strings.TrimSuffix(strings.Repeat(`"s",`, 11), ",")
	refuses(t, []badRequest{
		{"DeleteService", `{"cluster":"demo","service":"web"}`, parameter, "The service cannot be stopped while it is scaled above 0."},
		{"DeleteService", `{"cluster":"demo","service":"nobody"}`, "ServiceNotFoundException", "Service not found."},
		{"DeleteService", `{"cluster":"demo"}`, parameter, "Service can not be blank."},
		{"DescribeServices", `{"cluster":"demo"}`, parameter, "Services cannot be empty."},
		{"DescribeServices", `{"cluster":"demo","services":[` + eleven + `]}`, parameter, "service names can have at most 10 items."},
		{"DescribeServices", `{"cluster":"demo","services":["s"],"include":["X"]}`, parameter, "include should be one of [TAGS]"},
		{"DescribeServices", `{"cluster":"nobody","services":["s"]}`, "ClusterNotFoundException", "Cluster not found."},
		{"DescribeServices", `{"cluster":"demo","services":["arn:aws:ecs:us-east-1:123456789012:service/"]}`, parameter,
			"Invalid identifier: Unexpected number of separators"},
		{"ListServiceDeployments", `{"cluster":"demo","service":"web","createdAt":{"after":946684801,"before":946684800}}`, parameter,
			"createdAt.before must not be earlier than createdAt.after."},
		{"ListServices", `{"cluster":"nobody"}`, "ClusterNotFoundException", "Cluster not found."},
		{"ListServices", `{"cluster":"demo","maxResults":101}`, parameter, "maxResults must be between 1 and 100."},
		{"ListServices", `{"cluster":"demo","launchType":"X"}`, parameter, "launchType should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"},
		{"ListServices", `{"cluster":"demo","schedulingStrategy":"X"}`, parameter, "schedulingStrategy should be one of [REPLICA,DAEMON]"},
		{"ListServices", `{"cluster":"demo","resourceManagementType":"X"}`, parameter, "resourceManagementType should be one of [CUSTOMER,ECS]"},
	})
}
