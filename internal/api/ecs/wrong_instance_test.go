package ecs

import (
	"strings"
	"testing"
)

func TestWrongTaskRequests(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`"t",`, 101), ",")
	refuses(t, []badRequest{
		{"StopTask", `{"cluster":"demo"}`, parameter, "Task can not be blank."},
		{"StopTask", `{"task":"mine"}`, "ClusterNotFoundException", "Cluster not found."},
		{"StopTask", `{"cluster":"demo","task":"nobody"}`, parameter, "The referenced task was not found."},
		{"StopTask", `{"cluster":"empty","task":"arn:aws:ecs:us-east-1:123456789012:task/demo/mine"}`, parameter, "Invalid identifier: Identifier is for cluster demo. Your cluster is empty"},
		{"StopTask", `{"cluster":"demo","task":"mine","reason":"` + strings.Repeat("r", 1025) + `"}`, parameter, "reason can be at most 1024 characters long."},
		{"DescribeTasks", `{"cluster":"demo"}`, parameter, "Tasks cannot be empty."},
		{"DescribeTasks", `{"cluster":"demo","tasks":[` + many + `]}`, parameter, "taskIds can have at most 100 items."},
		{"DescribeTasks", `{"cluster":"demo","tasks":["mine","` + strings.Repeat("t", 37) + `"]}`, parameter, "taskId longer than 36."},
		{"StopTask", `{"cluster":"demo","task":"` + strings.Repeat("t", 37) + `"}`, parameter, "taskId longer than 36."},
		{"ListTasks", `{"cluster":"demo","startedBy":"` + strings.Repeat("s", 129) + `"}`, parameter, "startedBy longer than 128."},
		{"DescribeTasks", `{"cluster":"demo","tasks":["t"],"include":["X"]}`, parameter, "include should be one of [TAGS]"},
		{"DescribeTasks", `{"tasks":["t"]}`, "ClusterNotFoundException", "Cluster not found."},
		{"ListTasks", `{}`, "ClusterNotFoundException", "Cluster not found."},
		{"ListTasks", `{"cluster":"demo","maxResults":0}`, parameter, "maxResults must be between 1 and 100."},
		{"ListTasks", `{"cluster":"demo","desiredStatus":"X"}`, parameter, "desiredStatus should be one of [RUNNING,PENDING,STOPPED]"},
		{"ListTasks", `{"cluster":"demo","launchType":"X"}`, parameter, "launchType should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"},
		{"ListTasks", `{"cluster":"demo","serviceName":"nobody"}`, "ServiceNotFoundException", "Service not found."},
		{"ListTasks", `{"cluster":"demo","containerInstance":"nobody"}`, parameter, "The referenced container instance was not found."},
		{"ListTasks", `{"cluster":"demo","daemonName":"d"}`, parameter, unserved("daemonName")},
		{"ListTasks", `{"cluster":"demo","startedBy":"me","family":"web"}`, parameter,
			"startedBy must be the only filter: it cannot be used with family, serviceName or containerInstance."},
	})
}

// size is what every registration must say.
const size = `"totalResources":[{"name":"CPU","type":"INTEGER","integerValue":1024},{"name":"MEMORY","type":"INTEGER","integerValue":512}]`

func TestWrongInstanceRequests(t *testing.T) {
	register := func(members, code, message string) badRequest {
		return badRequest{"RegisterContainerInstance", `{"cluster":"demo",` + members + `}`, code, message}
	}
	resource := func(r, message string) badRequest { return register(`"totalResources":[`+r+`]`, parameter, message) }
	many := strings.TrimSuffix(strings.Repeat(`"i",`, 101), ",")
	refuses(t, []badRequest{
		register(size+`,"cluster":"nobody"`, "ClusterNotFoundException", "Cluster not found."),
		register(`"attributes":[]`, parameter, "totalResources must have CPU and MEMORY."),
		resource(`{"name":"CPU","type":"INTEGER","integerValue":1}`, "totalResources must have CPU and MEMORY."),
		resource(`{"name":"X"}`, "totalResources: unknown resource 'X'"),
		resource(`{"name":"CPU","type":"DOUBLE","doubleValue":1}`, "totalResources: the type of CPU should be INTEGER, but was 'DOUBLE'"),
		resource(`{"name":"MEMORY","type":"INTEGER","integerValue":-1}`, "totalResources: the integerValue of MEMORY must be at least 1, but was -1"),
		resource(`{"name":"PORTS","type":"INTEGER"}`, "totalResources: the type of PORTS should be STRINGSET, but was 'INTEGER'"),
		resource(`{"name":"PORTS_UDP","type":"STRINGSET","stringSetValue":["65536"]}`, "totalResources: '65536' of PORTS_UDP is no port."),
		resource(`{"name":"PORTS","type":"STRINGSET","stringSetValue":["0"]}`, "totalResources: '0' of PORTS is no port."),
		register(size+`,"attributes":[{"value":"v"}]`, parameter, "Attribute name should not be null or empty."),
		register(size+`,"attributes":[{"name":"a"},{"name":"a","value":"v"}]`, parameter, "The attribute 'a' is given more than once."),
		register(size+`,"attributes":[`+strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, 501), ",")+`]`, parameter, "attributes can have at most 500 items."),
		register(size+`,"attributes":[{"name":"a","targetType":"x"}]`, parameter, "attributes.targetType should be one of [container-instance]"),
		register(size+`,"attributes":[{"name":"a","value":"`+strings.Repeat("v", 129)+`"}]`, parameter,
			"The name and the value of an attribute can have at most 128 characters, but those of 'a' are longer."),
		register(size+`,"tags":[{"key":"aws:x"}]`, parameter,
			"The tag key 'aws:x' is not allowed: aws: prefixed tag key names are not allowed for external use."),
		register(size+`,"instanceIdentityDocument":"{"`, parameter, "instanceIdentityDocument is not an EC2 instance's identity document."),
		register(size+`,"clientToken":"`+strings.Repeat("t", 65)+`"`, parameter, "clientToken can be at most 64 characters long."),
		register(size+`,"containerInstanceArn":"nobody"`, client, "The container instance is inactive or was not registered by this caller."),
		register(size+`,"containerInstanceArn":"dead"`, client, "The container instance is inactive or was not registered by this caller."),
		{"DeregisterContainerInstance", `{"cluster":"demo"}`, parameter, "Container instance can not be blank."},
		{"DeregisterContainerInstance", `{"cluster":"demo","containerInstance":"nobody","force":true}`, parameter, "The referenced container instance was not found."},
		{"DeregisterContainerInstance", `{"cluster":"demo","containerInstance":"i1"}`, parameter, "Found running tasks on the instance."},
		{"DescribeContainerInstances", `{"cluster":"demo"}`, client, "Container Instances cannot be empty."},
		{"DescribeContainerInstances", `{"cluster":"demo","containerInstances":[` + many + `]}`, parameter, "instanceIds can have at most 100 items."},
		{"DescribeContainerInstances", `{"cluster":"demo","containerInstances":["i1"],"include":["X"]}`, parameter,
			"include should be one of [TAGS,CONTAINER_INSTANCE_HEALTH]"},
		{"ListContainerInstances", `{"cluster":"demo","filter":"rack==7"}`, parameter, `filter 'rack==7' is invalid: unknown subject "rack"`},
		{"ListContainerInstances", `{"cluster":"demo","status":"X"}`, parameter,
			"status should be one of [ACTIVE,DRAINING,REGISTERING,DEREGISTERING,REGISTRATION_FAILED]"},
		{"ListContainerInstances", `{"cluster":"demo","nextToken":"x"}`, parameter,
			"Invalid token: nextToken is not one that ListContainerInstances answered to these parameters."},
		{"UpdateContainerInstancesState", `{"cluster":"demo","containerInstances":["i1"],"status":"REGISTERING"}`, parameter,
			"Container instance status should be one of [ACTIVE,DRAINING]"},
		{"UpdateContainerInstancesState", `{"cluster":"demo","status":"DRAINING"}`, parameter, "Container Instances cannot be empty."},
		{"UpdateContainerInstancesState", `{"cluster":"demo","status":"DRAINING","containerInstances":[` + many + `]}`, parameter,
			"instanceIds can have at most 10 items."},
		{"UpdateContainerInstancesState", `{"cluster":"demo","status":"DRAINING","containerInstances":["i2","arn:aws:ecs:us-east-1:123456789012:task/demo/t"]}`,
			parameter, "Invalid identifier: Identifier is for a task. The request needs a container instance"},
	})
}
