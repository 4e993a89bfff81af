package ecs

import (
	"strings"
	"testing"
)

func TestWrongTaskSetRequests(t *testing.T) {
	const sets = "arn:aws:ecs:us-east-1:123456789012:task-set/"
	create := func(members, message string) badRequest {
		return badRequest{"CreateTaskSet", `{"cluster":"demo","service":"sets","taskDefinition":"web",` + members + `}`, parameter, message}
	}
	on := func(set, message string) badRequest {
		return badRequest{"DeleteTaskSet", `{"cluster":"demo","service":"sets","taskSet":"` + set + `"}`, parameter, message}
	}
	tests := []badRequest{
		create(`"scale":{"value":-1,"unit":"PERCENT"}`, "scale.value must be between 0.0 and 100.0, but was -1"),
		create(`"scale":{"value":100.5,"unit":"PERCENT"}`, "scale.value must be between 0.0 and 100.0, but was 100.5"),
		create(`"scale":{"value":10,"unit":"TASKS"}`, "scale.unit should be one of [PERCENT]"),
		create(`"clientToken":"a b"`, "clientToken can be at most 36 ASCII characters long, none of them a blank."),
		create(`"clientToken":"`+strings.Repeat("x", 37)+`"`, "clientToken can be at most 36 ASCII characters long, none of them a blank."),
		create(`"externalId":"`+strings.Repeat("x", 256)+`"`, "externalId can be at most 255 characters long."),
		create(`"launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"x","weight":1}]`,
			"Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."),
		create(`"launchType":"FARGATE"`, "Task definition does not support launch_type FARGATE."),
		create(`"platformVersion":"1.4.0"`, "The platform version must be null when specifying an EC2 launch type."),
		create(`"serviceRegistries":[{"registryArn":"x"}]`, "Berth does not act on serviceRegistries yet; leave it out. docs/coverage.md lists what it acts on."),
		create(`"loadBalancers":[{}]`, "Target Group ARN and Load Balancer Name cannot both be blank."),
		create(`"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`,
			"Network Configuration is not valid for the given networkMode of this task definition."),
		create(`"tags":[{"key":"aws:x"}]`, "The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use."),
		{"CreateTaskSet", `{"cluster":"demo","service":"sets","taskDefinition":"nobody"}`, client, "TaskDefinition not found."},
		{"CreateTaskSet", `{"cluster":"demo","service":"web","taskDefinition":"web"}`, parameter,
			"Amazon ECS only supports task set management on services configured to use external deployment controllers."},
		{"CreateTaskSet", `{"cluster":"demo","service":"nobody","taskDefinition":"web"}`, "ServiceNotFoundException", "Service not found."},
		{"CreateTaskSet", `{"cluster":"demo","service":"left","taskDefinition":"web"}`, "ServiceNotActiveException", "Service was not ACTIVE."},
		{"CreateTaskSet", `{"cluster":"nobody","service":"sets","taskDefinition":"web"}`, "ClusterNotFoundException", "Cluster not found."},

		on(deploymentNumber(21), "Primary TaskSet cannot be deleted"),
		on(sets+"demo/sets", "Invalid identifier: Unexpected number of separators"),
		on(sets+"other/sets/ecs-svc/1", "Invalid identifier: Identifier is for cluster other. Your cluster is demo"),
		on(sets+"demo/web/ecs-svc/1", "Invalid identifier: Identifier is for service web. Your service is sets"),
		on("arn:aws:ecs:us-east-1:123456789012:service/demo/sets", "Invalid identifier: Identifier is for a service. The request needs a task set"),
		on(strings.Replace(sets, "us-east-1", "us-east-2", 1)+"demo/sets/ecs-svc/1", "Invalid Region in ARN"),
		{"DeleteTaskSet", `{"cluster":"demo","service":"sets","taskSet":"ecs-svc/1"}`, "TaskSetNotFoundException", "The specified task set was not found."},

		{"UpdateTaskSet", `{"cluster":"demo","service":"sets","taskSet":"` + deploymentNumber(23) + `","scale":{"value":1,"unit":"PERCENT"}}`, parameter,
			"The task set " + deploymentNumber(23) + " is DRAINING."},
		{"UpdateTaskSet", `{"cluster":"demo","service":"sets","taskSet":"` + deploymentNumber(22) + `","scale":{"value":101,"unit":"PERCENT"}}`, parameter,
			"scale.value must be between 0.0 and 100.0, but was 101"},
		{"UpdateServicePrimaryTaskSet", `{"cluster":"demo","service":"sets","primaryTaskSet":"` + deploymentNumber(23) + `"}`, parameter,
			"The task set " + deploymentNumber(23) + " is DRAINING."},
		{"DescribeTaskSets", `{"cluster":"demo","service":"sets","taskSets":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 101), ",") + `]}`, parameter,
			"taskSets can have at most 100 items."},
		{"DescribeTaskSets", `{"cluster":"demo","service":"sets","taskSets":["x"],"include":["ALL"]}`, parameter, "include should be one of [TAGS]"},
	}
	refuses(t, tests)
}

// What the task sets of a service say is not the service's to say, nor what ECS does for its own deployments only.
func TestWrongExternalServices(t *testing.T) {
	create := func(members, message string) badRequest {
		return badRequest{"CreateService", `{"cluster":"demo","serviceName":"ext","deploymentController":{"type":"EXTERNAL"},` + members + `}`, parameter, message}
	}
	update := func(members, message string) badRequest {
		return badRequest{"UpdateService", `{"cluster":"demo","service":"sets",` + members + `}`, parameter, message}
	}
	const controller = " on services with a EXTERNAL deployment controller. Create a task set instead."
	refuses(t, []badRequest{
		create(`"taskDefinition":"web"`, "TaskDefinition must be blank."),
		create(`"taskDefinition":""`, "Family should not be null or empty."),
		create(`"launchType":"EC2"`, "LaunchType must be blank."),
		create(`"networkConfiguration":{}`, "NetworkConfiguration must be blank."),
		create(`"loadBalancers":[{"targetGroupArn":"a"}]`, "LoadBalancers must be empty or null."),
		create(`"schedulingStrategy":"DAEMON"`, "The daemon scheduling strategy does not support the EXTERNAL deployment controller."),
		create(`"availabilityZoneRebalancing":"ENABLED"`, "Availability Zone Rebalancing does not support the EXTERNAL deployment controller"),
		create(`"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":false}}`,
			"Deployment circuit breaker feature can only be enabled with ECS deployment controller."),
		create(`"deploymentConfiguration":{"alarms":{"alarmNames":["a"],"enable":true,"rollback":false}}`,
			"Deployment alarms can only be enabled with ECS deployment controller."),
		update(`"taskDefinition":"web"`, "Unable to update task definition"+controller),
		update(`"networkConfiguration":{}`, "Unable to update network parameters"+controller),
		update(`"forceNewDeployment":true`, "Cannot force a new deployment"+controller),
		update(`"availabilityZoneRebalancing":"ENABLED"`, "Availability Zone Rebalancing does not support the EXTERNAL deployment controller"),
		update(`"deploymentController":{"type":"ECS"}`,
			"Berth does not act on deploymentController other than the service's own yet; leave it out. docs/coverage.md lists what it acts on."),
		{"UpdateService", `{"cluster":"demo","service":"web","deploymentController":{"type":"EXTERNAL"}}`, parameter,
			"Berth does not act on deploymentController other than the service's own yet; leave it out. docs/coverage.md lists what it acts on."},
	})
}

// There are at most five task sets, those that go counted.
func TestMostTaskSets(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	const request = `{"cluster":"demo","service":"sets","taskDefinition":"web"}`
	p.must(t, "CreateTaskSet", request)
	p.must(t, "CreateTaskSet", request)
	p.answers(t, "CreateTaskSet", request, parameter, "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.")
}

// enableExecuteCommand needs a task role in every task set's definition.
func TestExecuteCommandOfTaskSets(t *testing.T) {
	p := newLaunchPad(t, shop()...)
	p.must(t, "UpdateService", `{"cluster":"demo","service":"sets","enableExecuteCommand":false}`)
	p.answers(t, "UpdateService", `{"cluster":"demo","service":"sets","enableExecuteCommand":true}`, parameter, "The service couldn't be updated because a valid "+
		"taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
}
